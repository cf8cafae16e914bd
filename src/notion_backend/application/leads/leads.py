"""Leads as staff work them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notion_backend.application.actor import Actor
from notion_backend.application.leads.lead_rules import LeadChange, apply_change
from notion_backend.application.paging import Cursors, Page
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.errors import ChangedMeanwhile, NotFound, Unavailable
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.models import Event, Lead
from notion_backend.data.repositories.leads import Position, position_of
from notion_backend.data.rows import ListedLead, Resume
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.files import FileSender

LeadPage = Page[ListedLead]
MOST_COUNTED = 100
"""A robot's leads may be many; beyond this nobody needs the number."""


@dataclass(frozen=True, slots=True)
class ResumeDownload:
    """A résumé on its way out; `pieces` must be iterated outside of any unit of work."""

    resume: Resume
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where staff go on from a lead."""

    next_pending: ListedLead | None
    """The oldest pending lead behind this one, else the oldest of all; never this one."""
    same_address: int
    """How many other leads have this e-mail address, `MOST_COUNTED` at most."""


class LeadService:
    """Shows leads and changes them, each change with its event in the same commit."""

    def __init__(self, database: Database, cursors: Cursors, mail_files: FileSender) -> None:
        self._database = database
        self._cursors = cursors
        self._mail_files = mail_files

    def page(self, query: LeadQuery, cursor: str | None = None, limit: int = 50) -> LeadPage:
        """Return leads in the order asked for; a lead that stays as it is comes exactly once.

        Raises:
            InvalidInput: the cursor is not of this list with these filters.
        """
        scope = f"leads:{query!r}"
        behind = _read(self._cursors.open(scope, cursor), query.sort) if cursor else None
        with self._database.reading() as work:
            found = work.leads.page(query, behind=behind, limit=limit + 1)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items, None)
        return Page(items, self._cursors.seal(scope, _write(position_of(items[-1], query.sort))))

    def get(self, lead_id: int) -> Lead:
        """Return one lead.

        Raises:
            NotFound: there is none, or it was erased.
        """
        with self._database.reading() as work:
            return _found(work.leads.get(lead_id))

    def neighbours(self, lead: Lead) -> Neighbours:
        """Return where to go on from this lead."""
        pending = LeadQuery(state=LeadState.PENDING, sort=LeadSort.CREATED_AT)
        with self._database.reading() as work:
            behind = work.leads.page(pending, behind=(lead.created_at, lead.id), limit=1)
            found = behind or work.leads.page(pending, behind=None, limit=2)
            others = [one for one in found if one.id != lead.id]
            same_address = work.leads.count_others(lead, MOST_COUNTED)
        return Neighbours(others[0] if others else None, same_address)

    def change(
        self,
        lead_id: int,
        change: LeadChange,
        actor: Actor,
        expected_versions: Collection[int] | None = None,
    ) -> Lead:
        """Move a lead to another state or correct a typing error; return it as it is then.

        What it is already is not recorded again.

        Args:
            lead_id: which lead.
            change: what is asked for.
            actor: who asks.
            expected_versions: the versions that the caller knows; None does not care.

        Raises:
            NotFound: there is no such lead.
            ChangedMeanwhile: the lead is at none of the expected versions.
            InvalidInput: a field breaks its rule.
        """
        now = utcnow()
        with self._database.writing() as work:
            lead = _found(work.leads.get(lead_id, lock=True))
            if expected_versions is not None and lead.version not in expected_versions:
                raise ChangedMeanwhile(
                    "Somebody changed this lead meanwhile. Read it again, then decide."
                )
            done = apply_change(lead, change, actor, now)
            if done:
                work.events.add(
                    *(_event(lead_id, one.action, actor, now, one.detail) for one in done)
                )
                work.commit()
        return lead

    def open_resume(self, lead_id: int, actor: Actor) -> ResumeDownload:
        """Record that this résumé is read and return it; its pieces are read one by one.

        No connection is held between two pieces, however slowly the client takes them.

        Raises:
            NotFound: there is no such lead, or it was imported without a résumé (`no_resume`). From
                `pieces`: the lead was erased meanwhile.
        """
        with self._database.writing() as work:
            lead = _found(work.leads.get(lead_id, lock=True))
            if lead.resume is None:
                raise NotFound("This lead was imported without a résumé.", code="no_resume")
            work.events.add(_event(lead_id, "resume.downloaded", actor, utcnow()))
            work.commit()
        return ResumeDownload(lead.resume, self._pieces(lead_id, lead.resume.size))

    def events(self, lead_id: int, cursor: str | None = None, limit: int = 50) -> Page[Event]:
        """Return what happened to a lead, oldest first.

        Raises:
            NotFound: there is no such lead.
            InvalidInput: the cursor is not of this list.
        """
        scope = f"events:{lead_id}"
        after_id = int(self._cursors.open(scope, cursor)[0]) if cursor else 0
        with self._database.reading() as work:
            _found(work.leads.get(lead_id))
            found = work.events.of_lead(lead_id, after_id=after_id, limit=limit + 1)
        items = found[:limit]
        more = len(found) > limit
        return Page(items, self._cursors.seal(scope, [items[-1].id]) if more else None)

    def latest_events(
        self, lead_id: int, cursor: str | None = None, limit: int = 50
    ) -> Page[Event]:
        """Return what happened to a lead lately, in the order of `events`; a page leads to earlier.

        Raises:
            NotFound: there is no such lead.
            InvalidInput: the cursor is not of this list.
        """
        scope = f"latest-events:{lead_id}"
        before_id = int(self._cursors.open(scope, cursor)[0]) if cursor else None
        with self._database.reading() as work:
            _found(work.leads.get(lead_id))
            found = work.events.latest_of_lead(lead_id, before_id=before_id, limit=limit + 1)
        items = found[:limit][::-1]
        more = len(found) > limit
        return Page(items, self._cursors.seal(scope, [items[0].id]) if more else None)

    def erase(self, lead_id: int, actor: Actor) -> None:
        """Erase the lead and all that hangs on it; one event without personal data stays.

        On SQLite its bytes in the files are overwritten too. Should a long-running reader keep
        them there, the lead is gone all the same, and erasing it again removes the bytes.

        Raises:
            PermissionDenied: the actor is no administrator.
            NotFound: there is no such lead, or no more.
            Unavailable: it is gone, its bytes are not.
        """
        actor.require_admin()
        with self._database.writing() as work:
            lead = work.leads.get(lead_id, lock=True)
            if lead is None:
                # The only event that is kept of a lead that is gone is that of its erasure.
                was_erased = bool(work.events.of_lead(lead_id, after_id=0, limit=1))
            else:
                mails = [mail.id for mail in work.deliveries.of_lead(lead_id)]
                self._erase_files(mails)
                work.leads.erase(lead)
                work.events.erase_of_lead(lead_id)
                work.events.add(_event(lead_id, "lead.erased", actor, utcnow()))
                work.commit()
                # Once more: a sender may have been at work until the mails were gone.
                self._erase_files(mails)
        if lead is not None or was_erased:
            self._database.purge_deleted_bytes()
        _found(lead)

    def _erase_files(self, mails: Sequence[UUID]) -> None:
        try:
            self._mail_files.erase(mails)
        except OSError as error:
            raise Unavailable(
                "The files of its mails cannot be deleted; see to DATA_DIR/mail and try again."
            ) from error

    def _pieces(self, lead_id: int, size: int) -> Iterator[bytes]:
        position = sent = 0
        while sent < size:
            with self._database.reading() as work:
                piece = work.resumes.read(lead_id, position)
            if not piece:
                raise NotFound("This lead was erased while its résumé was read.")
            yield piece
            position += 1
            sent += len(piece)


def _found(lead: Lead | None) -> Lead:
    if lead is None:
        raise NotFound("There is no such lead; it may have been erased.")
    return lead


def _event(lead_id: int, action: str, actor: Actor, now: datetime, detail: str = "") -> Event:
    return Event(
        lead_id=lead_id,
        at=now,
        actor=actor.username,
        action=action,
        detail=detail,
        address=actor.address,
    )


def _write(position: Position) -> list[str | int]:
    value, lead_id = position
    return [value.isoformat() if isinstance(value, datetime) else value, lead_id]


def _read(written: list[str | int], sort: LeadSort) -> Position:
    value, lead_id = str(written[0]), int(written[1])
    return (datetime.fromisoformat(value) if sort.by == "created_at" else value), lead_id
