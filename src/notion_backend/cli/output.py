"""What commands show: tables and progress for a terminal, plain lines for programs."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from notion_backend.core.printable import printable


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Write rows to standard output: a table for a terminal, else a line each, tab-separated.

    With `as_json` each row is a JSON object on a line of its own.
    """
    if as_json:
        for row in rows:
            typer.echo(json.dumps({name: _plain(row[name]) for name in columns}))
    elif sys.stdout.isatty():
        table = Table(*columns)
        for row in rows:
            # Not as markup: a name may hold square brackets.
            table.add_row(*(Text(_cell(row[name])) for name in columns))
        Console().print(table)
    else:
        typer.echo("\t".join(columns))
        for row in rows:
            typer.echo("\t".join(_cell(row[name]) for name in columns))


@contextmanager
def progress(action: str, total: int, *, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Lend what tells how much was done since; a bar shows it if standard error is a terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bar:
        task = bar.add_task(action, total=total)
        yield lambda done: bar.advance(task, done)


def _cell(value: object) -> str:
    plain = _plain(value)
    return "" if plain is None else printable(str(plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, bool | int | str | None) else str(value)
