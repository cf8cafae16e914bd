"""Filters, orders and places in them: the same on every database."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, inspect

from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.errors import InvalidInput
from notion_backend.core.ids import new_reference
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Lead
from notion_backend.data.repositories import leads as leads_repository
from notion_backend.data.repositories.leads import Position, position_of
from notion_backend.data.unit_of_work import Database
from tests.factories import a_lead

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(create_database_engine(database_url))
    yield database
    database.close()


def store(database: Database, *leads: dict[str, object]) -> None:
    with database.writing() as work:
        for one in leads:
            a_lead(work, resume=None, **one)
        work.commit()


def last_names(database: Database, query: LeadQuery) -> list[str]:
    with database.reading() as work:
        return [lead.last_name for lead in work.leads.page(query, behind=None, limit=200)]


def walk(database: Database, query: LeadQuery, limit: int) -> list[int]:
    """Return the ids of all leads, page by page."""
    ids: list[int] = []
    behind = None
    while True:
        with database.reading() as work:
            leads = work.leads.page(query, behind=behind, limit=limit)
        if not leads:
            return ids
        ids += [lead.id for lead in leads]
        behind = position_of(leads[-1], query.sort)


@pytest.mark.parametrize(
    "q", ["50%", "a_b", "c\\d", "/", "'; DROP TABLE leads;--", '" OR 1=1', "-"]
)
def test_a_search_is_taken_literally(database: Database, q: str) -> None:
    store(database, {"last_name": f"x{q}y"}, {"last_name": "50 aXb cd"})
    assert last_names(database, LeadQuery(q=q)) == [f"x{q}y"]


@pytest.mark.parametrize(
    ("q", "stored"),
    [
        ("STRASSE", "Straße"),
        ("straße", "STRASSE"),
        ("ÅNGSTRÖM", "a\u030angstro\u0308m"),
        ("a\u030a", "Ångström"),
        ("οδος", "ΟΔΟΣ"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("ﬁ", "FI"),
        ("中", "李中平"),
        ("👩‍🔬", "Dr 👩‍🔬"),
    ],
)
def test_a_search_folds_both_sides(database: Database, q: str, stored: str) -> None:
    store(database, {"last_name": stored, "created_at": MONDAY}, {"last_name": "Other"})
    assert last_names(database, LeadQuery(q=q)) == [stored]


def test_a_search_looks_at_both_names_and_the_address(database: Database) -> None:
    store(
        database,
        {"first_name": "needle", "last_name": "1", "created_at": MONDAY},
        {"last_name": "needless", "created_at": MONDAY + MICROSECOND},
        {"email": "a@needle.example", "last_name": "3", "created_at": MONDAY + 2 * MICROSECOND},
        {"last_name": "haystack"},
    )
    query = LeadQuery(q="needle", sort=LeadSort.CREATED_AT)
    assert last_names(database, query) == ["1", "needless", "3"]


def test_a_search_for_a_reference_finds_its_lead(database: Database) -> None:
    store(database, {"last_name": "Other"}, {"last_name": "Wanted", "state": LeadState.PENDING})
    with database.reading() as work:
        (wanted, _) = work.leads.page(LeadQuery(), behind=None, limit=2)
        reference = work.leads.get(wanted.id).reference  # type: ignore[union-attr]
    for q in (reference, f" {reference.lower()} "):
        assert last_names(database, LeadQuery(q=q)) == ["Wanted"]
        assert last_names(database, LeadQuery(q=q, state=LeadState.REACHED_OUT)) == []
        with database.reading() as work:
            assert work.leads.count(LeadQuery(q=q)) == 1
    assert last_names(database, LeadQuery(q=new_reference())) == []


def test_a_name_that_looks_like_a_reference_is_found_too(database: Database) -> None:
    name = "7NM84DK2YHBYGXFXM6K1X6289H"
    store(database, {"last_name": name})
    assert last_names(database, LeadQuery(q=name)) == [name]


@pytest.mark.parametrize("q", ["Zoë\nÅngström", "\n", "\r", "\x1b[2J", "x" * 100_000])
def test_what_no_name_can_hold_finds_nothing(database: Database, q: str) -> None:
    store(database, {})
    assert last_names(database, LeadQuery(q=q)) == []


def test_a_name_of_full_length_is_found_whole(database: Database) -> None:
    name = "e\u0301" * 255
    store(database, {"last_name": "é" * 255})
    assert last_names(database, LeadQuery(q=name)) == ["é" * 255]


def test_a_search_with_nul_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        LeadQuery(q="a\x00b")
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("q", "forbidden_character")
    ]


def test_filters_narrow_together(database: Database) -> None:
    flag = [{"code": "c", "reason": "r"}]
    store(
        database,
        {"last_name": "pending", "created_at": MONDAY},
        {"last_name": "flagged", "created_at": MONDAY, "flags": flag},
        {"last_name": "reached", "created_at": MONDAY, "state": LeadState.REACHED_OUT},
        {"last_name": "early", "created_at": MONDAY - MICROSECOND},
        {"last_name": "late", "created_at": MONDAY + MICROSECOND},
    )
    from_monday = LeadQuery(created_from=MONDAY, sort=LeadSort.LAST_NAME)
    assert last_names(database, from_monday) == ["flagged", "late", "pending", "reached"]
    just_monday = LeadQuery(
        created_from=MONDAY, created_to=MONDAY + MICROSECOND, state=LeadState.PENDING, flagged=False
    )
    assert last_names(database, just_monday) == ["pending"]
    assert last_names(database, LeadQuery(flagged=True)) == ["flagged"]
    assert last_names(database, LeadQuery(state=LeadState.REACHED_OUT)) == ["reached"]
    with database.reading() as work:
        assert work.leads.count(from_monday) == 4
        assert work.leads.count(LeadQuery()) == 5


@pytest.mark.parametrize("sort", list(LeadSort))
@pytest.mark.parametrize("every", [1, 3, 6, 25])
def test_a_search_finds_every_lead_once_in_order_however_far_apart_they_are(
    database: Database, monkeypatch: pytest.MonkeyPatch, sort: LeadSort, every: int
) -> None:
    monkeypatch.setattr(leads_repository, "_LOOKED_THROUGH", 6)
    monkeypatch.setattr(leads_repository, "_MOST_LOOKED_THROUGH", 30)
    store(
        database,
        *(
            {
                "last_name": f"needle{number % 11}" if number % every == 0 else f"hay{number}",
                "email": f"{number % 3}@example.com",
                "created_at": MONDAY + timedelta(microseconds=number // 2),
            }
            for number in range(100)
        ),
    )
    with database.reading() as work:
        leads = work.leads.page(LeadQuery(sort=sort), behind=None, limit=200)
    expected = [lead.id for lead in leads if lead.last_name.startswith("needle")]
    assert len(expected) == -(-100 // every)
    assert walk(database, LeadQuery(q="eedl", sort=sort), 5) == expected


def test_the_newest_that_hold_a_text_are_found_without_the_index_where_they_are_not_rare(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the index was asked")

    monkeypatch.setattr(leads_repository, "_LOOKED_THROUGH", 6)
    monkeypatch.setattr(leads_repository, "matching", refused)
    store(
        database,
        *(
            {"last_name": "needle" if n % 3 == 0 else "hay", "created_at": MONDAY + n * MICROSECOND}
            for n in range(50)
        ),
    )
    with database.reading() as work:
        assert len(work.leads.page(LeadQuery(q="needle"), behind=None, limit=10)) == 10
        with pytest.raises(AssertionError, match="the index was asked"):
            work.leads.page(LeadQuery(q="needle", sort=LeadSort.LAST_NAME), behind=None, limit=10)


@pytest.mark.parametrize(("year", "found"), [(1, ["now"]), (9999, [])])
def test_the_ends_of_the_calendar_can_be_asked_for(
    database: Database, year: int, found: list[str]
) -> None:
    store(database, {"last_name": "now"})
    query = LeadQuery(created_from=datetime(year, 1, 1, tzinfo=UTC))
    assert last_names(database, query) == found


@pytest.mark.parametrize("sort", list(LeadSort))
@pytest.mark.parametrize("state", [None, LeadState.PENDING])
def test_pages_hold_every_lead_once_in_order(
    database: Database, sort: LeadSort, state: LeadState | None
) -> None:
    store(
        database,
        *(
            {
                "last_name": ["adams", "Ádám", "Zoe", "a b", "a-b", "ab", "李", "😀"][number % 8],
                "email": f"{number % 3}@example.com",
                "created_at": MONDAY + timedelta(microseconds=number // 5),
                "state": LeadState.REACHED_OUT if number % 7 == 0 else LeadState.PENDING,
            }
            for number in range(40)
        ),
    )
    query = LeadQuery(sort=sort, state=state)
    with database.reading() as work:
        leads = work.leads.page(query, behind=None, limit=200)
    expected = sorted(leads, key=lambda lead: position_of(lead, sort), reverse=sort.is_descending)
    assert len(leads) == (40 if state is None else 34)
    assert [lead.id for lead in leads] == [lead.id for lead in expected]
    assert walk(database, query, 7) == [lead.id for lead in expected]
    with database.reading() as work:
        rows = work.leads.exported_page(query, behind=position_of(leads[9], sort), limit=5)
    assert [row.id for row in rows] == [lead.id for lead in expected[10:15]]


def test_a_list_of_newest_first_holds_each_lead_once_while_new_ones_arrive(
    database: Database,
) -> None:
    store(database, *({"created_at": MONDAY + timedelta(seconds=n // 3)} for n in range(100)))
    query = LeadQuery()
    seen: list[int] = []
    behind = None
    while True:
        with database.reading() as work:
            leads = work.leads.page(query, behind=behind, limit=9)
        if not leads:
            break
        seen += [lead.id for lead in leads]
        behind = position_of(leads[-1], query.sort)
        store(database, {"created_at": MONDAY + timedelta(days=1)})
    assert len(seen) == len(set(seen)) == 100


def test_a_listed_lead_is_whole_but_for_what_search_reads(database: Database) -> None:
    store(database, {"flags": [{"code": "c", "reason": "r"}]})
    with database.reading() as work:
        (lead,) = work.leads.page(LeadQuery(), behind=None, limit=5)
    assert (lead.resume_sha256, lead.flags) == (None, [{"code": "c", "reason": "r"}])


def test_each_order_is_read_from_its_index_and_never_sorted(database: Database) -> None:
    store_many(database, 3000)
    for sort in LeadSort:
        query = LeadQuery(sort=sort)
        with database.reading() as work:
            behind = position_of(work.leads.page(query, behind=None, limit=200)[-1], sort)
        for place in (None, behind):
            plan = plan_of(database, query, place)
            key = {"last_name": "last_name_sort", "email": "email_sort"}.get(sort.by, sort.by)
            assert f"ix_leads_{key}_id" in plan, plan
            assert not any(word in plan for word in ("TEMP B-TREE", "Sort Key", "filesort")), plan
        assert any(word in plan for word in ("SEARCH", "Index Cond", "range")), plan


def test_a_search_in_the_order_of_names_does_not_seek_row_by_row(database: Database) -> None:
    store_many(database, 3000)
    plan = plan_of(database, LeadQuery(q="name 123", sort=LeadSort.LAST_NAME), None)
    assert "ix_leads" not in plan, plan


def store_many(database: Database, count: int) -> None:
    """Store leads in bulk, their keys in no order, and let the database know how many there are."""
    shuffled = random.Random(1).sample(range(count), count)
    rows = [
        {
            "reference": new_reference(),
            "first_name": "first",
            "last_name": "last",
            "email": "e@example.com",
            "last_name_sort": f"name {number}",
            "email_sort": f"{number}@example.com",
            "search_text": f"first\nname {number}\n{number}@example.com",
            "state": LeadState.PENDING,
            "created_at": MONDAY + timedelta(seconds=number),
            "updated_at": MONDAY,
        }
        for number in shuffled
    ]
    with database.engine.begin() as connection:
        connection.execute(insert(Lead), rows)
    if database.engine.dialect.name != "sqlite":
        table = "" if database.engine.dialect.name == "postgresql" else "TABLE "
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE {table}leads")


def plan_of(database: Database, query: LeadQuery, behind: Position | None) -> str:
    """Return how the database reads a page of 50."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.reading() as work:
        work.leads.page(query, behind=behind, limit=51)
    event.remove(database.engine, "before_cursor_execute", note)
    statement, parameters = statements[-1]
    explain = "EXPLAIN QUERY PLAN" if database.engine.dialect.name == "sqlite" else "EXPLAIN"
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
        return "\n".join(" ".join(map(str, row)) for row in rows)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_sorts_by_code_points_whatever_its_language(database: Database) -> None:
    columns = {column["name"]: column for column in inspect(database.engine).get_columns("leads")}
    for name in ("last_name_sort", "email_sort"):
        assert columns[name]["type"].collation == "C"
