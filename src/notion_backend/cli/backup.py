"""`notion-backend backup`."""

from pathlib import Path
from typing import Annotated

import typer

from notion_backend.cli.output import progress
from notion_backend.cli.preparation import prepare
from notion_backend.operations.backup import back_up, sqlite_file_of


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the command."""
    app.command(name, help=summary)(backup)


def backup(file: Annotated[Path, typer.Argument(help="The archive to write (tar).")]) -> None:
    """Save database and résumés in one archive, while the service runs.

    The archive is checked before it gets its name. It holds personal data and, unless SECRET_KEY
    is set, the key that signs links in mails: keep it where only you can read it. While it is
    made, its folder needs room for the database twice.
    """
    settings = prepare()
    database = sqlite_file_of(settings)
    size = database.stat().st_size if database.exists() else 0
    with progress("Writing", size, in_bytes=True) as advance:
        saved = back_up(settings, file, advance)
    counts = ", ".join(f"{count} {table}" for table, count in saved.rows.items())
    typer.echo(f"Saved in {file}: {counts}.")
