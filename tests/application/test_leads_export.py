"""Exports, on every database."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from notion_backend.application.actor import Actor
from notion_backend.application.leads.csv_cells import unguarded
from notion_backend.application.leads.exports import ExportFormat, LeadExporter
from notion_backend.core.enums import LeadSort, LeadState, Role
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.unit_of_work import Database
from tests.factories import a_lead
from tests.rows import all_events

MONDAY = datetime(2026, 11, 23, 9, 30, 0, 5, tzinfo=UTC)
ADA = Actor("ada", Role.STAFF, address="203.0.113.7")
HEADER = (
    "id,reference,first_name,last_name,email,state,created_at,reached_out_at,reached_out_by,"
    "resume_filename,resume_sha256"
)
FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
OLDEST_FIRST = LeadQuery(sort=LeadSort.CREATED_AT)


def exported(database: Database, query: LeadQuery, file_format: ExportFormat) -> str:
    return b"".join(LeadExporter(database).export(query, file_format, ADA)).decode()


def test_a_csv_line_holds_just_these_columns(database: Database) -> None:
    with database.writing() as work:
        lead = a_lead(
            work,
            last_name='O"Brien, jr',
            created_at=MONDAY,
            state=LeadState.REACHED_OUT,
            reached_out_at=MONDAY + timedelta(seconds=1),
            reached_out_by="ada",
        )
        imported = a_lead(work, resume=None, created_at=MONDAY + timedelta(days=1))
        work.commit()
    first = (
        f'{lead.id},{lead.reference},"Zoë","O""Brien, jr","zoe@example.com",REACHED_OUT,'
        '2026-11-23T09:30:00.000005Z,2026-11-23T09:30:01.000005Z,"ada",'
        f'"résumé.pdf",{lead.resume_sha256}'
    )
    second = (
        f'{imported.id},{imported.reference},"Zoë","Ångström","zoe@example.com",PENDING,'
        "2026-11-24T09:30:00.000005Z,,,,"
    )
    text = exported(database, OLDEST_FIRST, ExportFormat.CSV)
    assert text.split("\r\n") == [HEADER, first, second, ""]


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!G2",
        "+1",
        "-1",
        "@x",
        "\uff1d1",
        "\uff20x",
        "'=1",
        "''+1",
        "'plain",
        "{{7*7}}",
        "%s%n",
    ],
)
def test_a_name_is_never_a_formula_and_comes_back_whole(
    sqlite_database: Database, name: str
) -> None:
    with sqlite_database.writing() as work:
        a_lead(work, first_name=name, resume_filename=f"{name}.pdf")
        work.commit()
    text = exported(sqlite_database, LeadQuery(), ExportFormat.CSV)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert not row["first_name"].startswith(tuple(FORMULA_SIGNS))
    assert not row["resume_filename"].startswith(tuple(FORMULA_SIGNS))
    assert (unguarded(row["first_name"]), unguarded(row["resume_filename"])) == (
        name,
        f"{name}.pdf",
    )
    written = json.loads(exported(sqlite_database, LeadQuery(), ExportFormat.JSONL))
    assert written["first_name"] == name


def test_a_json_line_holds_the_same_as_they_are(database: Database) -> None:
    with database.writing() as work:
        lead = a_lead(work, created_at=MONDAY)
        work.commit()
    text = exported(database, LeadQuery(), ExportFormat.JSONL)
    assert text.endswith("}\n")
    assert list(json.loads(text)) == HEADER.split(",")
    assert json.loads(text) == {
        "id": lead.id,
        "reference": lead.reference,
        "first_name": "Zoë",
        "last_name": "Ångström",
        "email": "zoe@example.com",
        "state": "PENDING",
        "created_at": "2026-11-23T09:30:00.000005Z",
        "reached_out_at": None,
        "reached_out_by": None,
        "resume_filename": "résumé.pdf",
        "resume_sha256": lead.resume_sha256,
    }


def test_an_export_of_many_pages_has_each_lead_once_in_order(database: Database) -> None:
    with database.writing() as work:
        for number in range(1201):
            a_lead(
                work,
                resume=None,
                created_at=MONDAY + timedelta(seconds=number // 4),
                last_name=f"N{number % 7}",
            )
        work.commit()
    told: list[int] = []
    exporter = LeadExporter(database)
    query = LeadQuery(sort=LeadSort.LAST_NAME_DESCENDING)
    text = b"".join(exporter.export(query, ExportFormat.CSV, ADA, told.append)).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    keys = [(row["last_name"], int(row["id"])) for row in rows]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == sum(told) == exporter.count(query) == 1201
    narrow = LeadQuery(q="n3")
    assert exported(database, narrow, ExportFormat.JSONL).count("\n") == exporter.count(narrow)


def test_an_export_is_recorded_without_what_was_searched_for(database: Database) -> None:
    exported(database, LeadQuery(q="zoe@example.com"), ExportFormat.JSONL)
    (event,) = all_events(database)
    assert (event.lead_id, event.actor, event.action, event.detail, event.address) == (
        None,
        "ada",
        "leads.exported",
        "jsonl",
        "203.0.113.7",
    )


def test_an_export_holds_no_connection_and_little_memory(sqlite_database: Database) -> None:
    with sqlite_database.writing() as work:
        for number in range(3000):
            a_lead(work, resume=None, first_name=f"{number:0>200}")
        work.commit()
    pieces = LeadExporter(sqlite_database).export(LeadQuery(), ExportFormat.CSV, ADA)
    assert next(pieces).decode() == HEADER + "\r\n"
    next(pieces)
    assert sqlite_database.engine.pool.checkedout() == 0
    assert peak_of(pieces) < 3_000_000


def peak_of(pieces: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        for _ in pieces:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
