"""Leads as staff work them, on every database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notion_backend.application.actor import Actor
from notion_backend.application.leads.lead_rules import LeadChange
from notion_backend.application.leads.leads import MOST_COUNTED, LeadService
from notion_backend.application.paging import Cursors
from notion_backend.core.enums import LeadSort, LeadState, Role
from notion_backend.core.errors import ChangedMeanwhile, InvalidInput, NotFound
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.models import Event, Lead
from notion_backend.data.unit_of_work import Database
from tests.factories import NO_MAIL_FILES, a_lead

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ADA = Actor("ada", Role.STAFF, user_id=1, address="203.0.113.7")
REACHED_OUT = LeadChange(state=LeadState.REACHED_OUT)
BACK = LeadChange(state=LeadState.PENDING, reason="Wrong number")
UNKNOWN = 4_711


@pytest.fixture
def leads(database: Database) -> LeadService:
    return LeadService(database, Cursors(b"secret"), NO_MAIL_FILES)


@pytest.fixture
def store(database: Database) -> Callable[..., Lead]:
    def one(**fields: object) -> Lead:
        with database.writing() as work:
            lead = a_lead(work, **fields)
            work.commit()
        return lead

    return one


def told(leads: LeadService, lead_id: int) -> list[tuple[str, str, str, str | None]]:
    """Return who did what, with the detail, and from where."""
    return [
        (event.actor, event.action, event.detail, event.address)
        for event in leads.events(lead_id).items
    ]


def test_a_lead_is_read_whole(leads: LeadService, store: Callable[..., Lead]) -> None:
    stored = store(created_at=MONDAY)
    lead = leads.get(stored.id)
    assert (lead.reference, lead.created_at, lead.state, lead.resume) == (
        stored.reference,
        MONDAY,
        LeadState.PENDING,
        stored.resume,
    )


def test_reaching_out_is_stored_with_its_event(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = leads.change(store().id, REACHED_OUT, ADA)
    stored = leads.get(lead.id)
    assert (stored.state, stored.reached_out_by, stored.version) == (
        LeadState.REACHED_OUT,
        "ada",
        2,
    )
    assert stored.reached_out_at == lead.reached_out_at == stored.updated_at
    assert told(leads, lead.id) == [("ada", "lead.reached_out", "", "203.0.113.7")]


def test_a_repeat_is_not_recorded(leads: LeadService, store: Callable[..., Lead]) -> None:
    lead = leads.change(store().id, REACHED_OUT, ADA)
    again = leads.change(lead.id, REACHED_OUT, replace(ADA, username="bob"))
    assert (again.version, again.reached_out_by, again.updated_at) == (2, "ada", lead.updated_at)
    assert len(told(leads, lead.id)) == 1


def test_a_lead_goes_back_with_its_reason_on_record(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = leads.change(store().id, REACHED_OUT, ADA)
    leads.change(lead.id, BACK, ADA)
    stored = leads.get(lead.id)
    assert (stored.state, stored.reached_out_at, stored.reached_out_by, stored.version) == (
        LeadState.PENDING,
        None,
        None,
        3,
    )
    assert told(leads, lead.id)[-1][1:3] == ("lead.reopened", "Wrong number")


def test_a_refused_change_leaves_nothing(leads: LeadService, store: Callable[..., Lead]) -> None:
    lead = leads.change(store().id, REACHED_OUT, ADA)
    with pytest.raises(InvalidInput):
        leads.change(lead.id, LeadChange(state=LeadState.PENDING, first_name="Zoe"), ADA)
    assert leads.get(lead.id).version == 2
    assert len(told(leads, lead.id)) == 1


def test_a_correction_is_found_by_its_new_name_and_told_without_it(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = store(last_name="Angstrom")
    leads.change(lead.id, LeadChange(last_name="Ångström"), ADA)
    assert [found.id for found in leads.page(LeadQuery(q="åNG")).items] == [lead.id]
    assert leads.page(LeadQuery(q="angstrom")).items == []
    assert told(leads, lead.id) == [("ada", "lead.corrected", "last_name", "203.0.113.7")]


def test_a_change_to_another_version_is_refused(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = store()
    leads.change(lead.id, LeadChange(first_name="Zoe"), ADA, expected_versions={1, 7})
    for versions in ({1}, set[int]()):
        with pytest.raises(ChangedMeanwhile):
            leads.change(lead.id, REACHED_OUT, ADA, expected_versions=versions)
    assert leads.get(lead.id).state is LeadState.PENDING


def test_of_fifty_at_once_one_is_recorded(leads: LeadService, store: Callable[..., Lead]) -> None:
    lead = store()
    together = threading.Barrier(10)

    def reach_out(number: int) -> LeadState:
        if number < 10:
            together.wait(10)
        return leads.change(lead.id, REACHED_OUT, replace(ADA, username=f"user{number}")).state

    with ThreadPoolExecutor(10) as pool:
        states = list(pool.map(reach_out, range(50)))
    assert set(states) == {LeadState.REACHED_OUT}
    assert leads.get(lead.id).version == 2
    assert [event[0] for event in told(leads, lead.id)] == [leads.get(lead.id).reached_out_by]


def test_hundreds_of_leads_are_paged_once_each_while_new_ones_arrive(
    leads: LeadService, database: Database, store: Callable[..., Lead]
) -> None:
    with database.writing() as work:
        for number in range(300):
            a_lead(work, resume=None, created_at=MONDAY + timedelta(microseconds=number // 3))
        work.commit()
    seen: list[int] = []
    cursor = None
    while True:
        page = leads.page(LeadQuery(), cursor, 40)
        seen += [lead.id for lead in page.items]
        store(resume=None, created_at=MONDAY + timedelta(days=1))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 300


@pytest.mark.parametrize("sort", list(LeadSort))
def test_cursors_lead_through_every_order(sqlite_database: Database, sort: LeadSort) -> None:
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    with sqlite_database.writing() as work:
        for number in range(20):
            a_lead(work, resume=None, last_name=f"N{number % 3}", email=f"{number % 4}@example.com")
        work.commit()
    query = LeadQuery(sort=sort)
    whole = leads.page(query)
    seen: list[int] = []
    cursor = None
    while cursor is not None or not seen:
        page = leads.page(query, cursor, 6)
        seen += [lead.id for lead in page.items]
        cursor = page.next_cursor
    assert whole.next_cursor is None
    assert seen == [lead.id for lead in whole.items]


def test_a_cursor_of_another_list_is_refused(sqlite_database: Database) -> None:
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    with sqlite_database.writing() as work:
        first, second = (a_lead(work, resume=None).id for _ in range(2))
        work.events.add(
            *(Event(lead_id=first, at=MONDAY, actor="a", action="x", detail="") for _ in range(3))
        )
        work.commit()
    cursor = leads.page(LeadQuery(), limit=1).next_cursor
    assert cursor is not None
    of_events = leads.events(first, limit=1).next_cursor
    assert of_events is not None
    for other in (LeadQuery(q="z"), LeadQuery(sort=LeadSort.CREATED_AT), LeadQuery(flagged=False)):
        with pytest.raises(InvalidInput):
            leads.page(other, cursor)
    with pytest.raises(InvalidInput):
        leads.page(LeadQuery(), of_events)
    with pytest.raises(InvalidInput):
        leads.events(second, of_events)


def test_events_are_paged_in_order(leads: LeadService, store: Callable[..., Lead]) -> None:
    lead = store()
    for _ in range(3):
        leads.change(lead.id, REACHED_OUT, ADA)
        leads.change(lead.id, BACK, ADA)
    first = leads.events(lead.id, limit=4)
    second = leads.events(lead.id, first.next_cursor, 4)
    assert second.next_cursor is None
    assert [event.action for event in [*first.items, *second.items]] == [
        "lead.reached_out",
        "lead.reopened",
    ] * 3


def test_a_resume_is_read_piece_by_piece_and_its_reading_recorded(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    content = bytes(range(256)) * 10_000
    lead = store(resume=content)
    download = leads.open_resume(lead.id, ADA)
    assert told(leads, lead.id) == [("ada", "resume.downloaded", "", "203.0.113.7")]
    pieces = list(download.pieces)
    assert len(pieces) == 3
    assert b"".join(pieces) == content


def test_no_connection_is_held_between_two_pieces(
    leads: LeadService, database: Database, store: Callable[..., Lead]
) -> None:
    download = leads.open_resume(store(resume=b"x" * 3_000_000).id, ADA)
    next(download.pieces)
    assert database.engine.pool.checkedout() == 0


def test_a_resume_erased_half_way_is_not_silently_short(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = store(resume=b"x" * 3_000_000)
    download = leads.open_resume(lead.id, ADA)
    next(download.pieces)
    leads.erase(lead.id, replace(ADA, role=Role.ADMIN))
    with pytest.raises(NotFound):
        list(download.pieces)


def test_an_imported_lead_has_no_resume_and_no_event_of_one(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = store(resume=None)
    with pytest.raises(NotFound) as caught:
        leads.open_resume(lead.id, ADA)
    assert caught.value.reason == "no_resume"
    assert told(leads, lead.id) == []


def test_an_unknown_lead_is_the_same_for_everything(leads: LeadService) -> None:
    asks: list[Callable[[], object]] = [
        lambda: leads.get(UNKNOWN),
        lambda: leads.change(UNKNOWN, REACHED_OUT, ADA),
        lambda: leads.change(UNKNOWN, REACHED_OUT, ADA, expected_versions={1}),
        lambda: leads.open_resume(UNKNOWN, ADA),
        lambda: leads.events(UNKNOWN),
        lambda: leads.erase(UNKNOWN, replace(ADA, role=Role.ADMIN)),
    ]
    answers = set()
    for ask in asks:
        with pytest.raises(NotFound) as caught:
            ask()
        answers.add((caught.value.detail, caught.value.reason))
    assert len(answers) == 1


def test_after_a_lead_comes_the_oldest_pending_behind_it(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    first, second, third = (store(created_at=MONDAY) for _ in range(3))
    store(created_at=MONDAY + timedelta(hours=1))
    done = store(created_at=MONDAY - timedelta(hours=1), state=LeadState.REACHED_OUT)
    last = store(created_at=MONDAY + timedelta(hours=2), state=LeadState.REACHED_OUT)
    assert [_next(leads, one) for one in (done, first, second, last)] == [
        first.id,
        second.id,
        third.id,
        first.id,
    ]


def test_a_lead_is_not_its_own_next(leads: LeadService, store: Callable[..., Lead]) -> None:
    only = store(created_at=MONDAY)
    assert _next(leads, only) is None
    earlier = store(created_at=MONDAY - timedelta(hours=1))
    assert _next(leads, only) == earlier.id


def test_the_other_leads_of_an_address_are_counted_in_any_case_of_letters(
    leads: LeadService, store: Callable[..., Lead]
) -> None:
    lead = store(email="zoe@example.com")
    for email in ("ZOE@example.com", "zoe@example.com", "joe.zoe@example.com"):
        store(email=email)
    assert leads.neighbours(lead).same_address == 2


def test_of_very_many_leads_of_an_address_only_so_many_are_counted(
    leads: LeadService, database: Database, store: Callable[..., Lead]
) -> None:
    lead = store()
    with database.writing() as work:
        for _ in range(MOST_COUNTED + 1):
            a_lead(work, resume=None)
        work.commit()
    assert leads.neighbours(lead).same_address == MOST_COUNTED


def _next(leads: LeadService, lead: Lead) -> int | None:
    found = leads.neighbours(lead).next_pending
    return found.id if found else None
