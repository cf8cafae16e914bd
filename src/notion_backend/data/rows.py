"""Rows where there are many: those of a list, and new ones with all but the database's number.

Objects that a session follows would cost more than the database takes (ADR 0019).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState
from notion_backend.core.text import fold

SORT_LENGTH = 255
"""Casefolding can lengthen a name; what is sorted by must fit its index."""


@dataclass(frozen=True, slots=True)
class Resume:
    """What is known of a résumé without its content; `size` in bytes, `sha256` in hexadecimal."""

    filename: str
    media_type: str
    size: int
    sha256: str


@dataclass(slots=True)
class ListedLead:
    """A lead as it stands in a list; not frozen, which would take half as long again to make."""

    id: int
    reference: str
    first_name: str
    last_name: str
    email: str
    last_name_sort: str
    email_sort: str
    state: LeadState
    flagged: bool
    flags: list[dict[str, str]]
    resume_filename: str | None
    resume_media_type: str | None
    resume_size: int | None
    resume_sha256: str | None
    created_at: datetime
    updated_at: datetime
    reached_out_at: datetime | None
    reached_out_by: str | None
    version: int


class PersonColumns(TypedDict):
    """Who a lead is, and what search and sorting look at."""

    first_name: str
    last_name: str
    email: str
    last_name_sort: str
    email_sort: str
    search_text: str


class LeadRow(PersonColumns):
    """A new lead."""

    reference: str
    state: LeadState
    flagged: bool
    flags: list[dict[str, str]]
    resume_filename: str | None
    resume_media_type: str | None
    resume_size: int | None
    resume_sha256: str | None
    created_at: datetime
    updated_at: datetime
    reached_out_at: datetime | None
    reached_out_by: str | None
    version: int


class DeliveryRow(TypedDict):
    """A new mail."""

    id: UUID
    lead_id: int | None
    kind: DeliveryKind
    recipient: str
    recipient_folded: str
    context: dict[str, Any]
    status: DeliveryStatus
    attempts: int
    deaths: int
    in_exchange: bool
    last_reply: str | None
    next_attempt_at: datetime | None
    created_at: datetime


class EventRow(TypedDict):
    """A new event of the audit trail."""

    lead_id: int | None
    at: datetime
    actor: str
    action: str
    detail: str
    address: str | None


class AttemptRow(TypedDict):
    """One try of a mail and what the server answered."""

    delivery_id: UUID
    at: datetime
    stage: str
    reply: str


class IdempotencyRow(TypedDict):
    """A new answer to a key."""

    key: str
    content_hash: str
    lead_id: int
    created_at: datetime


def person_columns(first_name: str, last_name: str, email: str) -> PersonColumns:
    """Return the columns that say who a lead is."""
    folded = fold(first_name), fold(last_name), fold(email)
    return {
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
        "last_name_sort": folded[1][:SORT_LENGTH],
        "email_sort": folded[2][:SORT_LENGTH],
        # A line each: what is searched for never holds a line break, so no match spans two.
        "search_text": "\n".join(folded),
    }
