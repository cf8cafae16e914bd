"""Rows as tests need them: sensible where a test does not say otherwise."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from notion_backend.core.ids import new_reference
from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import Delivery, Lead
from notion_backend.data.unit_of_work import UnitOfWork
from notion_backend.mail.files import FileSender

NO_MAIL_FILES = FileSender(Path("/nonexistent/mail"))
"""Of an installation that has captured none."""

A_RESUME = b"%PDF-1.7\nZo\xc3\xab has built bridges for ten years.\n%%EOF\n"


def a_lead(work: UnitOfWork, *, resume: bytes | None = A_RESUME, **overrides: Any) -> Lead:
    """Store a lead, with its résumé unless that is None, and return it with its id.

    The caller commits. `overrides` are columns, and the names and address go where search looks.
    """
    now = overrides.setdefault("created_at", utcnow())
    first_name = overrides.pop("first_name", "Zoë")
    last_name = overrides.pop("last_name", "Ångström")
    email = overrides.pop("email", "zoe@example.com")
    fields: dict[str, Any] = {
        "reference": new_reference(),
        "state": LeadState.PENDING,
        "flagged": bool(overrides.get("flags")),
        "flags": [],
        "updated_at": now,
        "version": 1,
    }
    if resume is not None:
        fields |= {
            "resume_filename": "résumé.pdf",
            "resume_media_type": "application/pdf",
            "resume_size": len(resume),
            "resume_sha256": hashlib.sha256(resume).hexdigest(),
        }
    lead = Lead(**(fields | overrides))
    lead.name(first_name, last_name, email)
    work._session.add(lead)
    work.flush()
    if resume:
        work.resumes.insert([(lead.id, _pieces(resume))])
    return lead


def a_mail(*arguments: Any, **options: Any) -> Delivery:
    """Return a mail as `new_delivery` makes it, to be changed and then stored."""
    return Delivery(**new_delivery(*arguments, **options))


def store_mails(work: UnitOfWork, mails: Sequence[Delivery]) -> None:
    """Store mails as they are; the caller commits."""
    columns = Delivery.__table__.columns.keys()
    insert_rows(
        work._session, Delivery, [{key: getattr(one, key) for key in columns} for one in mails]
    )


def _pieces(content: bytes, size: int = 1024 * 1024) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]
