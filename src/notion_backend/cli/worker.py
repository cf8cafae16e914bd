"""`notion-backend worker`."""

import typer

from notion_backend.cli.preparation import prepare
from notion_backend.cli.signals import leave_on_signals
from notion_backend.operations.start import awaited_database, check_durability
from notion_backend.worker import run_worker


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the command."""
    app.command(name, help=summary)(worker)


def worker() -> int:
    """Run a delivery worker, beside any number of others.

    It waits a minute for `serve` or `migrate` to bring the database to the newest revision.
    """
    leave_on_signals()
    settings = prepare()
    with awaited_database(settings) as database:
        check_durability(database.engine, settings)
        return run_worker(settings)
