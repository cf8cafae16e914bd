"""The audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import Event
from notion_backend.data.rows import EventRow


class EventRepository:
    """Reads and writes `events`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, *events: Event) -> None:
        """Store these events with the change they tell of."""
        self._session.add_all(events)

    def insert(self, events: Sequence[EventRow]) -> None:
        """Store these events at once."""
        insert_rows(self._session, Event, events)

    def of_lead(self, lead_id: int, *, after_id: int, limit: int) -> Sequence[Event]:
        """Return up to `limit` events of a lead, oldest first, behind the event `after_id`."""
        return self._session.scalars(
            select(Event)
            .where(Event.lead_id == lead_id, Event.id > after_id)
            .order_by(Event.id)
            .limit(limit)
        ).all()

    def latest_of_lead(self, lead_id: int, *, before_id: int | None, limit: int) -> Sequence[Event]:
        """Return up to `limit` events of a lead, newest first, of those before `before_id`."""
        latest = select(Event).where(Event.lead_id == lead_id)
        if before_id is not None:
            latest = latest.where(Event.id < before_id)
        return self._session.scalars(latest.order_by(Event.id.desc()).limit(limit)).all()

    def newest(self) -> tuple[int, datetime] | None:
        """Return id and time of the newest event, None when there is none; an index ends there.

        An id alone would not tell it from another: SQLite gives that of an erased one again.
        """
        newest = select(Event.id, Event.at).order_by(Event.id.desc()).limit(1)
        row = self._session.execute(newest).first()
        return None if row is None else (row.id, row.at)

    def erase_of_lead(self, lead_id: int) -> None:
        """Delete every event of a lead: reasons and addresses are personal data."""
        self._session.execute(delete(Event).where(Event.lead_id == lead_id))
