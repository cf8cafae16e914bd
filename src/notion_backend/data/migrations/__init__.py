"""Alembic revisions, run by `data.migrate`."""

REVISIONS = ("0001", "0002")
"""All of them, oldest first, so that a start that finds the newest need not load Alembic."""
