"""The audit trail."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
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

    def newest_id(self) -> int:
        """Return the id of the newest event, 0 when there is none; it is the end of an index."""
        return self._session.scalar(select(func.max(Event.id))) or 0

    def erase_of_lead(self, lead_id: int) -> None:
        """Delete every event of a lead: reasons and addresses are personal data."""
        self._session.execute(delete(Event).where(Event.lead_id == lead_id))
