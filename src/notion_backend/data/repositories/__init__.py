"""Queries, one repository a subject; they take and return models and never commit."""
