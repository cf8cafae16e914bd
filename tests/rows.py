"""Rows as they are stored, for tests that no service answers."""

from collections.abc import Sequence

from sqlalchemy import select

from notion_backend.data.models import Event
from notion_backend.data.unit_of_work import Database


def all_events(database: Database) -> Sequence[Event]:
    """Return every event, the oldest first."""
    with database.reading() as work:
        return work._session.scalars(select(Event).order_by(Event.id)).all()
