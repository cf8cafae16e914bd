"""The first tables.

Revision ID: 0001
Revises:
Create Date: 2026-11-23 07:43:15.786813
"""

import sqlalchemy as sa
from alembic import op

from notion_backend.data.base import BigId, Blob, RowUuid, SortText, UtcDateTime
from notion_backend.data.migrations.steps import create_index, create_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = [
    "events",
    "leads",
    "users",
    "worker_heartbeats",
    "deliveries",
    "idempotency_records",
    "resume_chunks",
    "sessions",
    "delivery_attempts",
    "refresh_tokens",
]


def upgrade() -> None:
    create_table(
        "events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("lead_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=150), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    create_index("ix_events_lead_id_id", "events", ["lead_id", "id"])
    create_table(
        "leads",
        sa.Column("id", BigId, nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("first_name", sa.String(length=255), nullable=False),
        sa.Column("last_name", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("last_name_sort", SortText, nullable=False),
        sa.Column("email_sort", SortText, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "REACHED_OUT",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("resume_filename", sa.String(length=255), nullable=True),
        sa.Column("resume_media_type", sa.String(length=100), nullable=True),
        sa.Column("resume_size", BigId, nullable=True),
        sa.Column("resume_sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("reached_out_at", UtcDateTime(), nullable=True),
        sa.Column("reached_out_by", sa.String(length=150), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("reference", name=op.f("uq_leads_reference")),
        sqlite_autoincrement=True,
    )
    create_index("ix_leads_created_at_id", "leads", ["created_at", "id"])
    create_index("ix_leads_email_sort_id", "leads", ["email_sort", "id"])
    create_index("ix_leads_flagged_created_at_id", "leads", ["flagged", "created_at", "id"])
    create_index("ix_leads_last_name_sort_id", "leads", ["last_name_sort", "id"])
    create_index("ix_leads_state_created_at_id", "leads", ["state", "created_at", "id"])
    create_table(
        "users",
        sa.Column("id", BigId, nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("email_folded", sa.String(length=255), nullable=False),
        sa.Column("hashed_password", sa.String(length=255), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "admin", "staff", name="role", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_folded", name=op.f("uq_users_email_folded")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    create_table(
        "worker_heartbeats",
        sa.Column("id", RowUuid, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("failures_in_a_row", sa.Integer(), nullable=False),
        sa.Column("outage", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_heartbeats")),
    )
    create_table(
        "deliveries",
        sa.Column("id", RowUuid, nullable=False),
        sa.Column("lead_id", BigId, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "prospect_confirmation",
                "staff_notification",
                "invitation",
                "password_reset",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("recipient_folded", sa.String(length=255), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "QUEUED",
                "SENDING",
                "SENT",
                "FAILED",
                "HELD",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_reply", sa.String(length=500), nullable=True),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("lease_token", RowUuid, nullable=True),
        sa.Column("lease_expires_at", UtcDateTime(), nullable=True),
        sa.Column("in_exchange", sa.Boolean(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_deliveries_lead_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    create_index("ix_deliveries_lead_id", "deliveries", ["lead_id"])
    create_index(
        "ix_deliveries_recipient_folded_created_at",
        "deliveries",
        ["recipient_folded", "created_at"],
    )
    create_index(
        "ix_deliveries_status_next_attempt_at", "deliveries", ["status", "next_attempt_at"]
    )
    create_table(
        "idempotency_records",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("lead_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["leads.id"],
            name=op.f("fk_idempotency_records_lead_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_records")),
    )
    create_index("ix_idempotency_records_created_at", "idempotency_records", ["created_at"])
    create_index("ix_idempotency_records_lead_id", "idempotency_records", ["lead_id"])
    create_table(
        "resume_chunks",
        sa.Column("lead_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", Blob, nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_resume_chunks_lead_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("lead_id", "position", name=op.f("pk_resume_chunks")),
    )
    create_table(
        "sessions",
        sa.Column("id", RowUuid, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("cookie_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_sessions_cookie_hash")),
    )
    create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    create_index("ix_sessions_user_id", "sessions", ["user_id"])
    create_table(
        "delivery_attempts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", RowUuid, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("reply", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    create_index("ix_delivery_attempts_delivery_id", "delivery_attempts", ["delivery_id"])
    create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", RowUuid, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
