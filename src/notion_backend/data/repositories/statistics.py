"""Figures over all leads."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, select, text
from sqlalchemy.orm import Session

from notion_backend.core.enums import LeadState
from notion_backend.data.models import Lead


class StatisticsRepository:
    """Counts in the database; never more than a few rows leave it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def leads_by_state(self) -> Mapping[LeadState, int]:
        """Count the leads in each state that has any."""
        rows = self._session.execute(select(Lead.state, func.count()).group_by(Lead.state))
        return dict(rows.all())

    def leads_by_day(self, since: datetime) -> Mapping[date, int]:
        """Count the leads of each UTC day that has any."""
        # Sessions run in UTC; SQLite gives the day back as text.
        day = func.date(Lead.created_at)
        rows = self._session.execute(
            select(day, func.count()).where(Lead.created_at >= since).group_by(day)
        )
        return {date.fromisoformat(str(found)): count for found, count in rows}

    def median_first_contact(self) -> float | None:
        """Return the median of seconds from arrival to first contact; None before the first."""
        contacted = Lead.reached_out_at.is_not(None)
        count = self._session.scalars(select(func.count()).where(contacted)).one()
        seconds = _seconds_to_first_contact(self._session.get_bind().dialect.name)
        middle = self._session.scalars(
            select(seconds)
            .where(contacted)
            .order_by(seconds)
            .offset(max(0, count - 1) // 2)
            .limit(2 - count % 2)
        ).all()
        return sum(map(float, middle)) / len(middle) if middle else None

    def first_contacts_within(
        self, since: datetime, bounds: Sequence[int]
    ) -> tuple[Sequence[int], int]:
        """Count the leads since then that were contacted within each bound of seconds, and all."""
        # Half a second of grace: SQLite counts in days, and misses whole seconds by a hair.
        seconds = _seconds_to_first_contact(self._session.get_bind().dialect.name) - 0.5
        row = self._session.execute(
            select(
                func.count(), *(func.sum(case((seconds <= bound, 1), else_=0)) for bound in bounds)
            ).where(Lead.created_at >= since, Lead.reached_out_at.is_not(None))
        ).one()
        return [int(count or 0) for count in row[1:]], int(row[0])

    def oldest_pending(self) -> tuple[int, datetime] | None:
        """Return id and arrival of the lead that has waited longest."""
        row = self._session.execute(
            select(Lead.id, Lead.created_at)
            .where(Lead.state == LeadState.PENDING)
            .order_by(Lead.created_at, Lead.id)
            .limit(1)
        ).first()
        return (row.id, row.created_at) if row else None


def _seconds_to_first_contact(dialect: str) -> ColumnElement[Any]:
    """Every database counts the time between two moments in its own words."""
    match dialect:
        case "sqlite":
            days = func.julianday(Lead.reached_out_at) - func.julianday(Lead.created_at)
            return days * 86400.0
        case "postgresql":
            return extract("epoch", Lead.reached_out_at - Lead.created_at)
        case _:
            unit = text("MICROSECOND")
            return func.timestampdiff(unit, Lead.created_at, Lead.reached_out_at) / 1_000_000
