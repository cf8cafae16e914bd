"""The index of search, and lists of mails by status that are read from their index.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-25 04:05:00
"""

from alembic import op

from notion_backend.data import search_index
from notion_backend.data.migrations.steps import create_index, drop_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Leads before mails, as intake locks them, and the mails for no longer than it takes.
    search_index.create(op.get_bind())
    create_index(
        "ix_deliveries_status_next_attempt_at_id",
        "deliveries",
        ["status", "next_attempt_at", "id"],
    )
    drop_index("ix_deliveries_status_next_attempt_at", "deliveries")


def downgrade() -> None:
    search_index.drop(op.get_bind())
    create_index(
        "ix_deliveries_status_next_attempt_at", "deliveries", ["status", "next_attempt_at"]
    )
    drop_index("ix_deliveries_status_next_attempt_at_id", "deliveries")
