"""Figures, on every database."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from time import sleep
from uuid import uuid4

import pytest

from notion_backend.application.statistics import Statistics, StatisticsService
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState
from notion_backend.data.models import WorkerHeartbeat
from notion_backend.data.unit_of_work import Database
from tests.factories import a_lead, a_mail, store_mails
from tests.waiting import wait_until


@pytest.fixture
def store(database: Database) -> Callable[..., int]:
    def one(**fields: object) -> int:
        with database.writing() as work:
            lead = a_lead(work, resume=None, **fields)
            work.commit()
        return lead.id

    return one


def figures(database: Database) -> Statistics:
    return StatisticsService(database).current()


def test_an_empty_service_has_figures_too(database: Database) -> None:
    found = figures(database)
    assert found.leads_by_state == {LeadState.PENDING: 0, LeadState.REACHED_OUT: 0}
    assert [one.count for one in found.leads_by_day] == [0] * 30
    assert (found.median_first_contact_seconds, found.oldest_pending) == (None, None)
    assert found.mail.by_status == dict.fromkeys(DeliveryStatus, 0)
    assert (found.mail.oldest_due_at, found.mail.workers, found.mail.stopped) == (None, 0, True)


def test_leads_are_counted_by_state_and_utc_day(
    database: Database, store: Callable[..., int]
) -> None:
    today = datetime.combine(utcnow().date(), time(), utcnow().tzinfo)
    first = today - timedelta(days=29)
    store(created_at=today, state=LeadState.REACHED_OUT)
    store(created_at=today - timedelta(microseconds=1))
    store(created_at=first)
    store(created_at=first + timedelta(hours=23, minutes=59))
    too_old = store(created_at=first - timedelta(microseconds=1))
    found = figures(database)
    assert found.leads_by_state == {LeadState.PENDING: 4, LeadState.REACHED_OUT: 1}
    assert [(one.day, one.count) for one in found.leads_by_day if one.count] == [
        (first.date(), 2),
        (today.date() - timedelta(days=1), 1),
        (today.date(), 1),
    ]
    assert found.leads_by_day[0].day == first.date()
    assert found.oldest_pending is not None
    assert (found.oldest_pending.id, found.oldest_pending.created_at) == (
        too_old,
        first - timedelta(microseconds=1),
    )


@pytest.mark.parametrize(
    ("seconds", "median"), [([5], 5), ([90_000, 1, 7.5], 7.5), ([4, 1, 2, 3.5], 2.75)]
)
def test_the_median_is_over_those_who_were_reached(
    database: Database, store: Callable[..., int], seconds: list[float], median: float
) -> None:
    now = utcnow()
    for each in seconds:
        store(
            created_at=now,
            state=LeadState.REACHED_OUT,
            reached_out_at=now + timedelta(seconds=each),
        )
    store(created_at=now)
    store(created_at=now, state=LeadState.REACHED_OUT)
    assert figures(database).median_first_contact_seconds == pytest.approx(median, abs=0.002)


def test_first_contacts_of_the_last_month_are_counted_by_how_soon_they_were(
    database: Database, store: Callable[..., int]
) -> None:
    assert [one.count for one in figures(database).first_contacts] == [0] * 6
    arrived = utcnow() - timedelta(days=20)
    for waited in (60, 3600, 3601, 4 * 3600, 86400, 2 * 86400, 8 * 86400):
        store(
            created_at=arrived,
            state=LeadState.REACHED_OUT,
            reached_out_at=arrived + timedelta(seconds=waited),
        )
    store(created_at=arrived)
    old = utcnow() - timedelta(days=31)
    store(created_at=old, state=LeadState.REACHED_OUT, reached_out_at=old)
    found = figures(database).first_contacts
    assert [(one.within_seconds, one.count) for one in found] == [
        (3600, 2),
        (4 * 3600, 2),
        (86400, 1),
        (3 * 86400, 1),
        (7 * 86400, 0),
        (None, 1),
    ]


def test_mail_is_told_of_by_status_and_by_what_workers_say(database: Database) -> None:
    now = utcnow()
    with database.writing() as work:
        kind = DeliveryKind.INVITATION
        due, later = (
            a_mail(kind, "a@example.com", {}, now=now + timedelta(hours=hours)) for hours in (-1, 1)
        )
        held = a_mail(kind, "a@example.com", {}, now=now, held="Because.")
        store_mails(work, [due, later, held])
        work.workers.beat(WorkerHeartbeat(id=uuid4(), seen_at=now, failures_in_a_row=0))
        dead = now - timedelta(minutes=10)
        work.workers.beat(
            WorkerHeartbeat(id=uuid4(), seen_at=dead, failures_in_a_row=9, outage="refused")
        )
        work.commit()
    mail = figures(database).mail
    assert mail.by_status == dict.fromkeys(DeliveryStatus, 0) | {
        DeliveryStatus.QUEUED: 2,
        DeliveryStatus.HELD: 1,
    }
    assert (mail.oldest_due_at, mail.workers, mail.stopped) == (due.next_attempt_at, 1, False)
    with database.writing() as work:
        work.workers.beat(
            WorkerHeartbeat(id=uuid4(), seen_at=now, failures_in_a_row=3, outage="refused")
        )
        work.commit()
    assert figures(database).mail.trouble == "refused"


def test_figures_are_gathered_once_for_many(database: Database, store: Callable[..., int]) -> None:
    service = StatisticsService(database)
    before = service.current()
    store()
    assert service.current() is before


def test_figures_that_grow_old_are_renewed_while_nobody_waits(
    database: Database, store: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = StatisticsService(database)
    before = service.current()
    store()
    monkeypatch.setattr("notion_backend.application.statistics.KEPT_SECONDS", 0.5)
    sleep(0.6)
    assert service.current() is before
    renewed = wait_until(lambda: service.current().at > before.at and service.current())
    assert sum(renewed.leads_by_state.values()) == 1


def test_figures_that_are_too_old_are_waited_for(
    database: Database, store: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = StatisticsService(database)
    service.current()
    store()
    for name in ("KEPT_SECONDS", "OLDEST_SECONDS"):
        monkeypatch.setattr(f"notion_backend.application.statistics.{name}", 0.0)
    assert sum(service.current().leads_by_state.values()) == 1
