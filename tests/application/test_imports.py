import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from sqlalchemy import Engine, text

from notion_backend.application.actor import SHELL, Actor
from notion_backend.application.leads.exports import ExportFormat, LeadExporter
from notion_backend.application.leads.import_rows import ImportRow, WrongRow, read_rows
from notion_backend.application.leads.imports import LeadImporter, Skipped, Stored
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadSort, LeadState, Role
from notion_backend.core.errors import InvalidInput, PermissionDenied
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from tests.factories import a_lead

HEADER = "first_name,last_name,email,state,created_at,reference,reached_out_at,reached_out_by\n"
FORMULAS = ("=1+1", "+1", "-1", "@sum", "'=1+1", "''=x", "'quoted'", "\uff1d1")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(create_database_engine(database_url))) as opened:
        yield opened


def test_a_file_of_the_three_columns_makes_pending_leads_without_resume_and_mail(
    database: Database,
) -> None:
    outcomes = run(database, b"email,last_name,first_name\nzoe@example.com,B,Zo\xc3\xab\n")
    assert outcomes == [Stored(1)]
    [lead] = rows_of(database, "leads")
    assert (lead["first_name"], lead["last_name"], lead["email"]) == ("Zoë", "B", "zoe@example.com")
    assert lead["state"] == "PENDING"
    assert len(lead["reference"]) == 26
    assert lead["resume_filename"] is None
    assert lead["search_text"] == "zoë\nb\nzoe@example.com"
    assert rows_of(database, "deliveries") == []
    [event] = rows_of(database, "events")
    assert (event["action"], event["actor"], event["lead_id"]) == (
        "lead.imported",
        "shell",
        lead["id"],
    )


def test_what_was_exported_comes_back_equal_but_for_ids_and_resumes(
    database: Database, sqlite_url: str
) -> None:
    now = utcnow()
    with database.writing() as work:
        for number, formula in enumerate(FORMULAS):
            a_lead(
                work,
                first_name=formula,
                last_name='a "quoted", name',
                email="用户@例え.jp",
                created_at=now - timedelta(days=number),
            )
        a_lead(
            work,
            resume=None,
            state=LeadState.REACHED_OUT,
            created_at=now - timedelta(days=400),
            reached_out_at=now,
            reached_out_by="bob",
        )
        work.commit()
    exported = export(database)
    with closing(Database(create_database_engine(sqlite_url))) as other:
        assert run(other, exported) == [Stored(len(FORMULAS) + 1)]
        imported = [kept(row) for row in rows_of(other, "leads")]
    originals = [kept(row) for row in rows_of(database, "leads")]
    assert imported == sorted(originals, key=lambda row: str(row["created_at"]))


def test_a_reference_that_is_there_is_skipped_in_the_file_and_in_the_database(
    database: Database,
) -> None:
    content = HEADER + "A,B,a@example.com,,,R1,,\nA,C,a@example.com,,,R1,,\n"
    assert run(database, content.encode()) == [Skipped(3, "R1"), Stored(1)]
    assert run(database, content.encode()) == [Skipped(2, "R1"), Skipped(3, "R1"), Stored(0)]
    assert len(rows_of(database, "leads")) == 1


def test_wrong_rows_are_told_of_and_the_others_go_in(database: Database) -> None:
    content = HEADER + "A,B,a@example.com,,,,,\n,B,a@example.com,,,,,\nC,D,d@example.com,,,,,\n"
    outcomes = run(database, content.encode())
    assert [type(one) for one in outcomes] == [WrongRow, Stored]
    assert isinstance(outcomes[0], WrongRow)
    assert (outcomes[0].line, outcomes[1]) == (3, Stored(2))


def test_a_long_file_is_stored_in_several_commits(database: Database) -> None:
    lines = (f"A{number},B,a{number}@example.com,,,,,\n" for number in range(1234))
    outcomes = run(database, (HEADER + "".join(lines)).encode())
    assert outcomes == [Stored(500), Stored(500), Stored(234)]
    assert len(rows_of(database, "leads")) == len(rows_of(database, "events")) == 1234


def test_only_an_administrator_imports(database: Database) -> None:
    with pytest.raises(PermissionDenied):
        list(LeadImporter(database).run(Actor("bob", Role.STAFF), io.BytesIO(HEADER.encode())))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,B", "2 cells"),
        ("A,B,a@example.com,,,,,,", "9 cells"),
        (" ,B,a@example.com,,,,,", "first name"),
        ("A,B,a@b@c,,,,,", "e-mail"),
        ("A,B,a@example.com,pending,,,,", "state"),
        ("A,B,a@example.com,,2026-01-01,,,", "created_at"),
        ("A,B,a@example.com,,2026-01-01T00:00:00,,,", "created_at"),
        ("A,B,a@example.com,,2026-02-30T00:00:00Z,,,", "no such time"),
        ("A,B,a@example.com,,2026-W01-1T00:00:00Z,,,", "created_at"),
        ("A,B,a@example.com,,9999-12-31T23:59:59-10:00,,,", "no such time"),
        ("A,B,a@example.com,,2030-01-01T00:00:00Z,,,", "in the future"),
        ("A,B,a@example.com,,1900-01-01T00:00:00Z,,,", "before 1970"),
        ("A,B,a@example.com,,,../../x,,", "reference"),
        ("A,B,a@example.com,,," + "R" * 33 + ",,", "reference"),
        ("A,B,a@example.com,,,,2026-01-01T00:00:00Z,", "reached_out_at"),
        (
            "A,B,a@example.com,REACHED_OUT,2026-01-02T00:00:00Z,,2026-01-01T00:00:00Z,bob",
            "before created_at",
        ),
        ("A,B,a@example.com,,,,," + "b" * 151, "reached_out_by"),
        ("A\x00,B,a@example.com,,,,,", "cannot be seen"),
        ('"A\nB",B,a@example.com,,,,,', "cannot be seen"),
        ("A\u202eB,B,a@example.com,,,,,", "cannot be seen"),
        ("A\x1b[2J,B,a@example.com,,,,,", "cannot be seen"),
        ('"A"x,B,a@example.com,,,,,', "no CSV"),
        ("A" * 200_000 + ",B,a@example.com,,,,,", "no CSV"),
        ("A" * 3_000_000 + ",B,a@example.com,,,,,", "no CSV"),
        ('"A,B,a@example.com,,,,,', "no CSV"),
    ],
)
def test_a_wrong_row_is_told_of_with_its_line_and_reason(row: str, reason: str) -> None:
    outcomes = read(HEADER + "\n" + row)
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], WrongRow)
    assert outcomes[0].line == 3
    assert reason in outcomes[0].reason


def test_reading_goes_on_behind_wrong_rows() -> None:
    wrong = ["A" * 3_000_000 + ",B,a@example.com,,,,,", '"A"x,B,a@example.com,,,,,', "A"]
    outcomes = read(HEADER + "\n".join([*wrong, "A,B,last@example.com,,,,,"]))
    assert [one.line for one in outcomes] == [2, 3, 4, 5]
    assert isinstance(outcomes[-1], ImportRow)


def test_a_line_in_another_encoding_is_a_wrong_row() -> None:
    content = b"first_name,last_name,email\nZo\xeb,B,a@example.com\nZo\xc3\xab,B,a@example.com\n"
    outcomes = list(read_rows(io.BytesIO(content), utcnow()))
    assert isinstance(outcomes[0], WrongRow)
    assert outcomes[0].line == 2
    assert "UTF-8" in outcomes[0].reason
    assert isinstance(outcomes[1], ImportRow)


def test_a_byte_order_mark_and_any_line_break_are_read() -> None:
    content = "first_name,last_name,email\r\nA,B,a@example.com\r\n".encode("utf-8-sig")
    assert len(list(read_rows(io.BytesIO(content), utcnow()))) == 1


def test_times_are_kept_to_the_microsecond_in_utc() -> None:
    [row] = read(HEADER + "A,B,a@example.com,,2026-01-02T03:04:05.678901+02:00,,,")
    assert isinstance(row, ImportRow)
    assert row.created_at == datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "missing: first_name, last_name, email"),
        ("first_name;last_name;email", "missing"),
        ("first_name,last_name", "missing: email"),
        ("first_name,last_name,email,password", "'password' is not known"),
        ("first_name,last_name,email,email", "twice"),
        ('"first_name', "no CSV header"),
        ("\x00" * 200_000, "no CSV header"),
    ],
)
def test_a_wrong_header_refuses_the_file(header: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read(header + "\nA,B,a@example.com\n")


def run(database: Database, content: bytes) -> list[Stored | Skipped | WrongRow]:
    return list(LeadImporter(database).run(SHELL, io.BytesIO(content)))


def read(content: str) -> list[ImportRow | WrongRow]:
    file: BinaryIO = io.BytesIO(content.encode())
    return list(read_rows(file, utcnow()))


def export(database: Database) -> bytes:
    query = LeadQuery(sort=LeadSort.CREATED_AT)
    return b"".join(LeadExporter(database).export(query, ExportFormat.CSV, SHELL))


def rows_of(database: Database, table: str) -> list[dict[str, object]]:
    engine: Engine = database.engine
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))
        return [dict(row) for row in rows.mappings()]


def kept(row: dict[str, object]) -> dict[str, object]:
    columns = HEADER.strip().split(",")
    return {name: _moment(value) for name, value in row.items() if name in columns}


def _moment(value: object) -> object:
    """SQLite gives times as text here, MySQL without a zone."""
    if isinstance(value, str) and value[:4].isdigit() and ":" in value:
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value
