"""Rows of a CSV file, as leads to be imported."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from typing import BinaryIO, TypeVar

from notion_backend.application.fields.personal_fields import clean_person
from notion_backend.application.fields.visible_text import hides_or_turns, holds_control
from notion_backend.application.leads.csv_cells import unguarded
from notion_backend.core.enums import LeadState
from notion_backend.core.errors import InvalidInput
from notion_backend.data.repositories.leads import EXPORTED_COLUMNS

Value = TypeVar("Value")

NEEDED = ("first_name", "last_name", "email")
_LONGEST_LINE = 1024 * 1024
_LONGEST_USERNAME = 150
_REFERENCE = re.compile(r"[A-Za-z0-9]{1,32}")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_DIFFERENCE = timedelta(minutes=10)
"""The clock of the machine that exported may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row that breaks no rule; what it does not tell is None."""

    line: int
    reference: str | None
    first_name: str
    last_name: str
    email: str
    state: LeadState
    created_at: datetime | None
    reached_out_at: datetime | None
    reached_out_by: str | None


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that cannot be imported, and why; the reason repeats nothing of the row."""

    line: int
    reason: str


def read_rows(file: BinaryIO, now: datetime) -> Iterator[ImportRow | WrongRow]:
    """Yield the rows below the header, one at a time; empty lines are passed over.

    Columns are known by name, in any order. Of the columns that an export writes, `id` and those
    of the résumé mean nothing here.

    Args:
        file: CSV in UTF-8 (RFC 4180), with or without a byte order mark.
        now: no row may tell of a later moment.

    Raises:
        InvalidInput: the header lacks a column, or names one twice or one that is not known.
    """
    # What is no UTF-8 becomes lone surrogates, and is told of with the line it is on.
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _rows(text, now)
    finally:
        text.detach()


def _rows(text: TextIOWrapper, now: datetime) -> Iterator[ImportRow | WrongRow]:
    reader = csv.reader(_lines(text), strict=True)
    columns = _header(reader)
    line = reader.line_num + 1
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if cells:
                yield _row(line, columns, cells, now)
        except csv.Error as error:
            yield WrongRow(line, f"this is no CSV: {error}")
        except InvalidInput as error:
            yield WrongRow(line, error.detail)
        line = reader.line_num + 1


def _lines(text: TextIOWrapper) -> Iterator[str]:
    """Yield the lines; of a monstrous one only its beginning, which no row of ours can be."""
    while line := text.readline(_LONGEST_LINE):
        yield line
        while len(line) == _LONGEST_LINE and not line.endswith("\n"):
            line = text.readline(_LONGEST_LINE)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        raise InvalidInput(f"The first line is no CSV header: {error}.") from error
    if missing := [name for name in NEEDED if name not in columns]:
        raise InvalidInput(
            "The first line must name the columns, parted by commas; missing: "
            f"{', '.join(missing)}."
        )
    if unknown := [name for name in columns if name not in EXPORTED_COLUMNS]:
        raise InvalidInput(f"The column {unknown[0]!r} is not known; remove it.")
    if len(set(columns)) < len(columns):
        raise InvalidInput("The first line names a column twice.")
    return columns


def _row(line: int, columns: Sequence[str], cells: Sequence[str], now: datetime) -> ImportRow:
    if len(cells) != len(columns):
        raise InvalidInput(f"it has {len(cells)} cells where the header has {len(columns)}")
    cell = {name: unguarded(text) for name, text in zip(columns, cells, strict=True)}
    if any("\ud800" <= char <= "\udfff" for text in cell.values() for char in text):
        raise InvalidInput("it is not UTF-8; save the file in that encoding")
    created_at = _read(cell, "created_at", lambda text: _moment(text, now))
    reached_out_at = _read(cell, "reached_out_at", lambda text: _moment(text, now))
    state = _read(cell, "state", _state) or LeadState.PENDING
    if reached_out_at and state is LeadState.PENDING:
        raise InvalidInput("reached_out_at: nobody has reached out, says state")
    if created_at and reached_out_at and reached_out_at < created_at:
        raise InvalidInput("reached_out_at: it lies before created_at")
    return ImportRow(
        line=line,
        reference=_read(cell, "reference", _reference),
        state=state,
        created_at=created_at,
        reached_out_at=reached_out_at,
        reached_out_by=_read(cell, "reached_out_by", _username),
        **clean_person({name: cell[name] for name in NEEDED}),
    )


def _read(cell: Mapping[str, str], name: str, parse: Callable[[str], Value]) -> Value | None:
    text = cell.get(name, "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}") from None


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("it must be 1 to 32 letters and digits")
    return text


def _state(text: str) -> LeadState:
    if text not in set(LeadState):
        raise ValueError(f"it must be {' or '.join(LeadState)}")
    return LeadState(text)


def _moment(text: str, now: datetime) -> datetime:
    if not _RFC_3339.fullmatch(text):
        raise ValueError("write the time with its zone, such as 2026-11-23T09:30:00Z")
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such time") from None
    if not _EARLIEST <= moment <= now + _CLOCK_DIFFERENCE:
        raise ValueError("it lies in the future" if moment > now else "it lies before 1970")
    return moment


def _username(text: str) -> str:
    if len(text) > _LONGEST_USERNAME or holds_control(text) or hides_or_turns(text):
        raise ValueError("it is no username")
    return text
