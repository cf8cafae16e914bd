"""The tables. A lead and all that hangs on it; users and their sessions; mails; audit events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, composite, mapped_column

from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState, Role
from notion_backend.data.base import (
    MYSQL_OPTIONS,
    Base,
    BigId,
    Blob,
    RowUuid,
    ShortText,
    SortText,
    UtcDateTime,
    enum_column,
)
from notion_backend.data.rows import Resume, person_columns


class User(Base):
    """Somebody of the firm who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    email: Mapped[str] = mapped_column(ShortText)
    email_folded: Mapped[str] = mapped_column(ShortText, unique=True)
    hashed_password: Mapped[str | None] = mapped_column(ShortText)
    """None until an invited user has chosen a password."""
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Session(Base):
    """A sign-in: the family of all tokens that came from it, and what ends them together."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(RowUuid, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cookie_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the console's cookie; None for the API, whose tokens name the session."""


class RefreshToken(Base):
    """One refresh token of a family; good once."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Lead(Base):
    """A person who wrote to the firm.

    The `_sort` columns and `search_text` are folded (`core.text.fold`), so that search and order
    are the same on every database.
    """

    __tablename__ = "leads"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "flagged", "created_at", "id"),
        Index(None, "last_name_sort", "id"),
        Index(None, "email_sort", "id"),
        {"sqlite_autoincrement": True, **MYSQL_OPTIONS},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(32), unique=True)
    first_name: Mapped[str] = mapped_column(ShortText)
    last_name: Mapped[str] = mapped_column(ShortText)
    email: Mapped[str] = mapped_column(ShortText)
    last_name_sort: Mapped[str] = mapped_column(SortText)
    email_sort: Mapped[str] = mapped_column(SortText)
    search_text: Mapped[str] = mapped_column(Text)
    state: Mapped[LeadState] = mapped_column(enum_column(LeadState, "state"))
    flagged: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    resume_filename: Mapped[str | None] = mapped_column(ShortText)
    resume_media_type: Mapped[str | None] = mapped_column(String(100))
    resume_size: Mapped[int | None] = mapped_column(BigId)
    resume_sha256: Mapped[str | None] = mapped_column(String(64))
    resume: Mapped[Resume | None] = composite(
        "resume_filename", "resume_media_type", "resume_size", "resume_sha256"
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reached_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reached_out_by: Mapped[str | None] = mapped_column(String(150))
    """The username, which never changes."""
    version: Mapped[int] = mapped_column(default=1)

    def name(self, first_name: str, last_name: str, email: str) -> None:
        """Set who this is, and with it what search and sorting look at."""
        for column, value in person_columns(first_name, last_name, email).items():
            setattr(self, column, value)


class ResumeChunk(Base):
    """A piece of a résumé's content, in order.

    Pieces keep every statement far below a server's packet limit and let a download stream.
    """

    __tablename__ = "resume_chunks"

    lead_id: Mapped[int] = mapped_column(
        ForeignKey("leads.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(Blob)


class Event(Base):
    """Who did what when; written in the same commit as the change it tells of."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "lead_id", "id"), MYSQL_OPTIONS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lead_id: Mapped[int | None] = mapped_column(BigId)
    """No foreign key: the event of an erasure outlives its lead."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(150))
    action: Mapped[str] = mapped_column(String(50))
    detail: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(String(64))


class Delivery(Base):
    """A mail and where it stands: the truth that the queue only points at."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "status", "next_attempt_at", "id"),
        Index(None, "lead_id"),
        Index(None, "recipient_folded", "created_at"),
        MYSQL_OPTIONS,
    )

    id: Mapped[UUID] = mapped_column(RowUuid, primary_key=True)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id", ondelete="CASCADE"))
    kind: Mapped[DeliveryKind] = mapped_column(enum_column(DeliveryKind, "kind"))
    recipient: Mapped[str] = mapped_column(ShortText)
    recipient_folded: Mapped[str] = mapped_column(ShortText)
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the templates show, fixed when the mail was made; never a secret."""
    status: Mapped[DeliveryStatus] = mapped_column(enum_column(DeliveryStatus, "status"))
    attempts: Mapped[int] = mapped_column(default=0)
    last_reply: Mapped[str | None] = mapped_column(String(500))
    """The server's last words; for a held mail the reason."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[UUID | None] = mapped_column(RowUuid)
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    in_exchange: Mapped[bool] = mapped_column(default=False)
    """True from the first word to the server until its answer is recorded."""
    deaths: Mapped[int] = mapped_column(default=0)
    """How many workers died during this mail's exchange."""
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def requeue(self, due: datetime) -> None:
        """Give up any lease and wait for `due`."""
        self.status = DeliveryStatus.QUEUED
        self.next_attempt_at = due
        self.lease_token = self.lease_expires_at = None
        self.in_exchange = False


class DeliveryAttempt(Base):
    """One try of a mail and what the server answered."""

    __tablename__ = "delivery_attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    stage: Mapped[str] = mapped_column(String(20))
    reply: Mapped[str] = mapped_column(String(500))


class IdempotencyRecord(Base):
    """The answer that a key has had, kept 72 hours; erased with its lead."""

    __tablename__ = "idempotency_records"

    key: Mapped[str] = mapped_column(ShortText, primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class WorkerHeartbeat(Base):
    """A delivery worker that is alive, and how its last exchanges with the mail server went."""

    __tablename__ = "worker_heartbeats"

    id: Mapped[UUID] = mapped_column(RowUuid, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failures_in_a_row: Mapped[int] = mapped_column(default=0)
    outage: Mapped[str | None] = mapped_column(String(500))
    """Why mail has stopped, in a sentence with the server's words; None while it flows."""
