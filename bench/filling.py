"""Databases with many leads, as they would be after years."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState
from notion_backend.core.ids import new_reference
from notion_backend.data import migrate
from notion_backend.data.engine import create_database_engine
from notion_backend.data.rows import LeadRow, person_columns
from notion_backend.data.unit_of_work import Database

_BATCH = 5_000
_SYLLABLES = [first + second for first in "bdfghklmnprstvwz" for second in ("a", "el", "in", "or")]
_DOMAINS = [f"{first}{second}.example" for first in _SYLLABLES for second in _SYLLABLES[:10]]
_YEARS = 5


def fill(url: str, leads: int) -> None:
    """Make the tables and so many leads, each with its event and two mails that were sent."""
    engine = create_database_engine(url)
    migrate.upgrade(engine)
    database = Database(engine)
    chance = random.Random(leads)
    rows = _leads(leads, chance)
    while batch := list(islice(rows, _BATCH)):
        with database.writing() as work:
            ids = work.leads.insert(batch)
            work.events.insert(
                [
                    {
                        "lead_id": lead_id,
                        "at": lead["created_at"],
                        "actor": "prospect",
                        "action": "lead.submitted",
                        "detail": "",
                        "address": "203.0.113.7",
                    }
                    for lead_id, lead in zip(ids, batch, strict=True)
                ]
            )
            work.deliveries.insert(
                [
                    {
                        **new_delivery(kind, to, {}, now=lead["created_at"], lead_id=lead_id),
                        "status": DeliveryStatus.SENT,
                        "next_attempt_at": None,
                    }
                    for lead_id, lead in zip(ids, batch, strict=True)
                    for kind, to in (
                        (DeliveryKind.PROSPECT_CONFIRMATION, lead["email"]),
                        (DeliveryKind.STAFF_NOTIFICATION, "desk@firm.example"),
                    )
                ]
            )
            work.commit()
    if engine.dialect.name != "sqlite":
        table = "" if engine.dialect.name == "postgresql" else "TABLE "
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE {table}leads")
            connection.exec_driver_sql(f"ANALYZE {table}deliveries")
    database.close()


def a_name(chance: random.Random) -> str:
    """Return a name of two to four syllables."""
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).capitalize()


def _leads(number: int, chance: random.Random) -> Iterator[LeadRow]:
    now = utcnow()
    for one in range(number):
        at = now - timedelta(days=365 * _YEARS) * ((number - one) / number)
        first, last = a_name(chance), a_name(chance)
        email = f"{first}.{last}{one % 1000}@{chance.choice(_DOMAINS)}".lower()
        reached = chance.random() < 0.8
        yield {
            **person_columns(first, last, email),
            "reference": new_reference(),
            "state": LeadState.REACHED_OUT if reached else LeadState.PENDING,
            "flagged": chance.random() < 0.01,
            "flags": [],
            "resume_filename": f"{last}.pdf",
            "resume_media_type": "application/pdf",
            "resume_size": 20_000,
            "resume_sha256": f"{one:064x}",
            "created_at": at,
            "updated_at": at,
            "reached_out_at": at + timedelta(hours=chance.random() * 72) if reached else None,
            "reached_out_by": "ada" if reached else None,
            "version": 1,
        }
