"""`notion-backend migrate`."""

import typer

from notion_backend.cli.preparation import prepare
from notion_backend.operations.start import migrate as bring_up_to_date


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the command."""
    app.command(name, help=summary)(migrate)


def migrate() -> None:
    """Bring the database to the newest revision, under a lock, however many do so at once."""
    done = bring_up_to_date(prepare())
    typer.echo("The database is at the newest revision" + ("." if done else " already."))
