"""Notion Backend: a lead-intake service that never loses a lead or a mail."""

__version__ = "0.1.0"
