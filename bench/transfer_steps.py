"""One step of the transfer benchmark in a process of its own; tells seconds and memory as JSON."""

import csv
import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from notion_backend.application.actor import Actor
from notion_backend.application.leads.exports import COLUMNS, ExportFormat, LeadExporter
from notion_backend.application.leads.import_rows import ImportRow, read_rows
from notion_backend.application.leads.imports import LeadImporter
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadSort, Role
from notion_backend.core.ids import new_reference
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data import sqlite
from notion_backend.data.engine import create_database_engine
from notion_backend.data.rows import person_columns
from notion_backend.data.unit_of_work import Database

_ADMIN = Actor(username="shell", role=Role.ADMIN)
_BATCH = 500


def bare_export(database: str, target: str) -> None:
    """A cursor into csv.writer."""
    connection: Any = sqlite.driver.connect(database)
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM leads ORDER BY created_at, id")
    with Path(target).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def export(database: str, target: str) -> None:
    """What `leads export` does."""
    exporter = LeadExporter(Database(create_database_engine(f"sqlite:///{database}")))
    query = LeadQuery(sort=LeadSort.CREATED_AT)
    with Path(target).open("wb") as file:
        file.writelines(exporter.export(query, ExportFormat.CSV, _ADMIN))


def bare_import(database: str, source: str) -> None:
    """`executemany` of the same rows, with the same checks, index of search and commits."""
    connection: Any = sqlite.driver.connect(database)
    sqlite.prepare_connection(connection, None)
    with Path(source).open("rb") as file:
        rows = read_rows(file, utcnow())
        while batch := [row for row in islice(rows, _BATCH) if isinstance(row, ImportRow)]:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, list(map(_row, batch)))
            connection.execute("COMMIT")


def import_leads(database: str, source: str) -> None:
    """What `leads import` does."""
    importer = LeadImporter(Database(create_database_engine(f"sqlite:///{database}")))
    with Path(source).open("rb") as file:
        for _ in importer.run(_ADMIN, file):
            pass


_FIELDS = (
    "first_name", "last_name", "email", "last_name_sort", "email_sort", "search_text",
    "reference", "state", "flagged", "flags", "created_at", "updated_at", "reached_out_at",
    "reached_out_by", "version",
)  # fmt: skip
_INSERT = f"INSERT INTO leads ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))})"


def _row(row: ImportRow) -> tuple[Any, ...]:
    person = person_columns(row.first_name, row.last_name, row.email)
    now = str(utcnow())
    at = str(row.created_at)
    reached = str(row.reached_out_at) if row.reached_out_at else None
    return (
        *person.values(), row.reference or new_reference(), row.state.value, False, "[]",
        at, now, reached, row.reached_out_by, 1,
    )  # fmt: skip


STEPS: dict[str, Callable[[str, str], None]] = {
    "bare-export": bare_export,
    "export": export,
    "bare-import": bare_import,
    "import": import_leads,
}


def main(step: str, first: str, second: str) -> None:
    """Run one step."""
    before = _most_memory()
    began = time.perf_counter()
    STEPS[step](first, second)
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "memory": _most_memory() - before}))


def _most_memory() -> float:
    """Return how many megabytes this process had at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
