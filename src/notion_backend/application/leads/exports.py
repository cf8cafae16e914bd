"""Leads as CSV or JSON lines, in constant memory."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from notion_backend.application.actor import Actor
from notion_backend.application.leads.csv_cells import guarded
from notion_backend.core.clock import utcnow, write_moment
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.models import Event
from notion_backend.data.repositories.leads import EXPORTED_COLUMNS, Position
from notion_backend.data.unit_of_work import Database

COLUMNS: tuple[str, ...] = EXPORTED_COLUMNS
_WRITTEN_BY_PEOPLE = {"first_name", "last_name", "email", "reached_out_by", "resume_filename"}
_ROWS_AT_A_TIME = 1000


class ExportFormat(StrEnum):
    """How a lead is written: RFC 4180 with guarded cells, or a JSON object a line."""

    CSV = "csv"
    JSONL = "jsonl"


class LeadExporter:
    """Writes leads out page by page, so that a million take no more memory than a thousand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, query: LeadQuery) -> int:
        """Count the leads that an export would hold now."""
        with self._database.reading() as work:
            return work.leads.count(query)

    def export(
        self,
        query: LeadQuery,
        file_format: ExportFormat,
        actor: Actor,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> Iterator[bytes]:
        """Record that leads are exported, then return the file piece by piece, in UTF-8.

        No connection is held between two pieces, however slowly they are taken.

        Args:
            query: which leads, in which order.
            file_format: how they are written.
            actor: who exports.
            on_rows: is told after each piece how many leads were in it.
        """
        with self._database.writing() as work:
            # What was searched for is personal data that erasing a lead would miss.
            work.events.add(
                Event(
                    at=utcnow(),
                    actor=actor.username,
                    action="leads.exported",
                    detail=file_format,
                    address=actor.address,
                )
            )
            work.commit()
        return self._pieces(query, file_format, on_rows)

    def _pieces(
        self, query: LeadQuery, file_format: ExportFormat, on_rows: Callable[[int], None]
    ) -> Iterator[bytes]:
        write = _csv_line if file_format is ExportFormat.CSV else _json_line
        if file_format is ExportFormat.CSV:
            yield (",".join(COLUMNS) + "\r\n").encode()
        behind: Position | None = None
        while rows := self._page(query, behind):
            yield "".join(map(write, rows)).encode()
            on_rows(len(rows))
            behind = rows[-1].sort_key, rows[-1].id

    def _page(self, query: LeadQuery, behind: Position | None) -> Sequence[Any]:
        with self._database.reading() as work:
            return work.leads.exported_page(query, behind=behind, limit=_ROWS_AT_A_TIME)


def _csv_line(row: Sequence[Any]) -> str:
    # Behind the columns stands what the page is sorted by.
    return ",".join([write(value) for write, value in zip(_CELLS, row, strict=False)]) + "\r\n"


def _quoted(text: str | None) -> str:
    return "" if text is None else '"' + guarded(text).replace('"', '""') + '"'


def _moment(value: datetime | None) -> str:
    return "" if value is None else write_moment(value)


def _bare(value: Any) -> str:
    return "" if value is None else str(value)


_KINDS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(_WRITTEN_BY_PEOPLE, _quoted),
    **dict.fromkeys(("created_at", "reached_out_at"), _moment),
}
_CELLS = tuple(_KINDS.get(column, _bare) for column in COLUMNS)


def _json_line(row: Sequence[Any]) -> str:
    fields = dict(zip(COLUMNS, map(_plain, row), strict=False))
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_moment(value)
    return value
