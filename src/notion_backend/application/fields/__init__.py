"""The rules for single fields, shared by form, corrections, import and accounts."""
