"""`notion-backend restore`."""

from pathlib import Path
from typing import Annotated

import typer

from notion_backend.cli import output
from notion_backend.cli.preparation import prepare
from notion_backend.operations import restore as operation
from notion_backend.operations.inspection import Inspection


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the command."""
    app.command(name, help=summary)(restore)


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `backup` made.")],
    check: Annotated[bool, typer.Option("--check", help="Only prove that it is good.")] = False,
) -> None:
    """Bring a backup back, or check that it is good. The service must be stopped.

    Everything is checked before anything is changed. The former database is kept beside the new
    one, its name ending in `.before-restore-` and the time. `--check` changes nothing; it needs
    room for the database in the system's temporary folder, or in TMPDIR.
    """
    settings = prepare(needs_data_dir=not check)
    with output.progress("Reading", file.stat().st_size, in_bytes=True) as advance:
        if check:
            found, former = operation.check(file, advance), None
        else:
            found, former = operation.restore(settings, file, advance)
    typer.echo(f"{'Good' if check else 'Restored'}: {_summary(found)}.")
    if former:
        typer.echo(f"The former database is {former}.")
    if not check and found.unsent:
        typer.echo(
            f"Mails that were unsent when the backup was made: {found.unsent}. They are sent when "
            "the service starts, also those that have been sent since."
        )


def _summary(found: Inspection) -> str:
    counts = ", ".join(f"{count} {table}" for table, count in found.rows.items())
    return f"{counts}; revision {found.revision}"
