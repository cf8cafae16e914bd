"""Alembic revisions, run by `data.migrate`."""
