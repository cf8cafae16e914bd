"""Figures for the firm: how many leads, how fast they are worked, whether mail flows."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import pairwise

import structlog

from notion_backend.application.delivery.mail_health import MailHealth, look_at_mail
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from notion_backend.core.errors import BusinessError
from notion_backend.data.unit_of_work import Database, UnitOfWork

DAYS = 30
BOUNDS = (3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400)
"""Seconds: an hour, four, a day, three days, a week."""
KEPT_SECONDS = 10.0
"""After so long the figures are gathered anew; a page that asks every second costs nothing."""
OLDEST_SECONDS = 50.0
"""So old may they be for who asks meanwhile: over a million leads it takes more than a second."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DayCount:
    """The leads that arrived on one UTC day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class ContactCount:
    """The leads that were contacted within so many seconds, and no sooner than the count before."""

    within_seconds: int | None
    """None for all that took longer."""
    count: int


@dataclass(frozen=True, slots=True)
class OldestPending:
    """The lead that has waited longest."""

    id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures as they were at `at`."""

    at: datetime
    leads_by_state: Mapping[LeadState, int]
    leads_by_day: tuple[DayCount, ...]
    """`DAYS` UTC days, the oldest first, today last."""
    median_first_contact_seconds: float | None
    """From arrival to first contact, over the leads that are REACHED_OUT."""
    first_contacts: tuple[ContactCount, ...]
    """Of the leads of the last `DAYS` days, how many were contacted how soon."""
    oldest_pending: OldestPending | None
    mail: MailHealth


class StatisticsService:
    """Gathers the figures, at most once in `KEPT_SECONDS`, and beside the requests if it can."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = threading.Lock()
        self._kept: tuple[Statistics, float] | None = None
        """The figures, and when they were gathered."""

    def current(self) -> Statistics:
        """Return the figures, `OLDEST_SECONDS` old at most; of many who ask at once one gathers."""
        if (found := self._not_older_than(KEPT_SECONDS)) is not None:
            return found
        if (found := self._not_older_than(OLDEST_SECONDS)) is not None:
            if not self._gathering.locked():
                threading.Thread(target=self._renew, name="statistics", daemon=True).start()
            return found
        with self._gathering:
            return self._not_older_than(KEPT_SECONDS) or self._gather()

    def at_hand(self) -> Statistics | None:
        """Return the figures if they are there and not too old; have them gathered beside that.

        Nobody waits for them here: None is for whoever can do without.
        """
        if self._not_older_than(KEPT_SECONDS) is None and not self._gathering.locked():
            threading.Thread(target=self._renew, name="statistics", daemon=True).start()
        return self._not_older_than(OLDEST_SECONDS)

    def _not_older_than(self, seconds: float) -> Statistics | None:
        if self._kept is None or time.monotonic() - self._kept[1] > seconds:
            return None
        return self._kept[0]

    def _renew(self) -> None:
        with self._gathering:
            if self._not_older_than(KEPT_SECONDS) is None:
                try:
                    self._gather()
                except BusinessError as error:  # whoever asks when these are too old will be told
                    _log.warning("statistics_not_gathered", reason=error.detail)

    def _gather(self) -> Statistics:
        began = time.monotonic()
        with self._database.reading() as work:
            figures = _gather(work, utcnow())
        self._kept = figures, began
        return figures


def _gather(work: UnitOfWork, now: datetime) -> Statistics:
    oldest = work.statistics.oldest_pending()
    return Statistics(
        at=now,
        leads_by_state=dict.fromkeys(LeadState, 0) | dict(work.statistics.leads_by_state()),
        leads_by_day=_by_day(work, now),
        median_first_contact_seconds=work.statistics.median_first_contact(),
        first_contacts=_first_contacts(work, now),
        oldest_pending=OldestPending(*oldest) if oldest else None,
        mail=look_at_mail(work, now),
    )


def _first_contacts(work: UnitOfWork, now: datetime) -> tuple[ContactCount, ...]:
    within, total = work.statistics.first_contacts_within(now - timedelta(days=DAYS), BOUNDS)
    edges = [0, *within, total]
    return tuple(
        ContactCount(bound, more - less)
        for bound, (less, more) in zip((*BOUNDS, None), pairwise(edges), strict=True)
    )


def _by_day(work: UnitOfWork, now: datetime) -> tuple[DayCount, ...]:
    first = now.date() - timedelta(days=DAYS - 1)
    counts = work.statistics.leads_by_day(datetime.combine(first, time_of_day(), now.tzinfo))
    days = (first + timedelta(days=number) for number in range(DAYS))
    return tuple(DayCount(day, counts.get(day, 0)) for day in days)
