"""`notion-backend serve`."""

import os
from typing import Annotated

import typer

from notion_backend.application.accounts.first_administrator import ensure_first_administrator
from notion_backend.cli.preparation import prepare
from notion_backend.cli.signals import leave_on_signals
from notion_backend.core.errors import ConfigurationError
from notion_backend.data.sqlite import is_safe_for_many_processes
from notion_backend.operations.service_lock import sqlite_file
from notion_backend.operations.start import check_durability, opened_database
from notion_backend.server import check_address, run

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read here, not bound


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the command."""
    app.command(name, help=summary)(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The TCP port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
) -> int:
    """Run the HTTP service. Without REDIS_URL it also delivers mail itself."""
    leave_on_signals()
    settings = prepare()
    if workers > 1 and sqlite_file(settings.database) and not is_safe_for_many_processes():
        raise ConfigurationError(
            "--workers: SQLite before 3.51.3 can corrupt a database that several processes write; "
            "use one worker, install pysqlite3, or use PostgreSQL."
        )
    if not settings.public_url:
        # Every process of the service reads it from here.
        os.environ["PUBLIC_URL"] = public_url(host, port)
    check_address(host, port)
    with opened_database(settings) as database:
        check_durability(database.engine, settings)
        if password := ensure_first_administrator(database, settings):
            typer.echo("The first administrator was created. This is shown only once:")
            typer.echo(f"  username: {settings.admin_username}\n  password: {password}")
        return run("notion_backend.app:create_app", host=host, port=port, workers=workers)


def public_url(host: str, port: int) -> str:
    """Return where a browser on this machine finds what listens there."""
    name = _EVERY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
