"""Leads from elsewhere: without a résumé, and no mail is sent for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from notion_backend.application.actor import Actor
from notion_backend.application.leads.import_rows import ImportRow, WrongRow, read_rows
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import Conflict, Contended
from notion_backend.core.ids import new_reference
from notion_backend.data.rows import EventRow, LeadRow, person_columns
from notion_backend.data.unit_of_work import Database

_BATCH = 500
_TRIES_AGAINST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row whose reference is there already."""

    line: int
    reference: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that have just been committed."""

    count: int


class LeadImporter:
    """Takes in the leads of a CSV file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, actor: Actor, file: BinaryIO) -> Iterator[Stored | Skipped | WrongRow]:
        """Store the leads of a file, 500 a commit, and tell of each batch and each row left out.

        Memory does not grow with the file. References are kept and ids are new. What a broken-off
        run has stored is skipped by the next one where the rows have references.

        Args:
            actor: in whose name; needs to be an administrator.
            file: CSV, as `import_rows.read_rows` takes it.

        Raises:
            InvalidInput: the header is wrong; nothing was stored.
            PermissionDenied: the actor is no administrator.
            Unavailable: the database gave up; what was told as stored stays.
        """
        actor.require_admin()
        rows = read_rows(file, utcnow())
        while batch := list(islice(rows, _BATCH)):
            yield from (row for row in batch if isinstance(row, WrongRow))
            good = [row for row in batch if isinstance(row, ImportRow)]
            yield from self._store_despite_others(actor, good)

    def _store_despite_others(
        self, actor: Actor, rows: Sequence[ImportRow]
    ) -> list[Stored | Skipped]:
        for tries_left in reversed(range(_TRIES_AGAINST_OTHERS)):
            try:
                return self._store(actor, rows)
            except (Contended, Conflict):
                # Another import was first with a reference: the next look finds it.
                if not tries_left:
                    raise
        raise AssertionError

    def _store(self, actor: Actor, rows: Sequence[ImportRow]) -> list[Stored | Skipped]:
        with self._database.writing() as work:
            known = work.leads.known_references([row.reference for row in rows if row.reference])
            skipped: list[Stored | Skipped] = []
            leads = []
            now = utcnow()
            for row in rows:
                if row.reference in known:
                    skipped.append(Skipped(row.line, row.reference))
                    continue
                lead = _new_lead(row, now)
                known.add(lead["reference"])
                leads.append(lead)
            ids = work.leads.insert(leads)
            work.events.insert([_event(actor, lead_id, now) for lead_id in ids])
            work.commit()
        return [*skipped, Stored(len(leads))]


def _new_lead(row: ImportRow, now: datetime) -> LeadRow:
    return {
        **person_columns(row.first_name, row.last_name, row.email),
        "reference": row.reference or new_reference(),
        "state": row.state,
        "flagged": False,
        "flags": [],
        "resume_filename": None,
        "resume_media_type": None,
        "resume_size": None,
        "resume_sha256": None,
        "created_at": row.created_at or now,
        "updated_at": now,
        "reached_out_at": row.reached_out_at,
        "reached_out_by": row.reached_out_by,
        "version": 1,
    }


def _event(actor: Actor, lead_id: int, now: datetime) -> EventRow:
    return {
        "lead_id": lead_id,
        "at": now,
        "actor": actor.username,
        "action": "lead.imported",
        "detail": "",
        "address": actor.address,
    }
