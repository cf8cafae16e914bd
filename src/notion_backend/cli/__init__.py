"""The command `notion-backend`: one thin function a command, one module a group of them.

What a command needs is imported only when that command is called: the service alone takes more
than a second, and `--help` must not wait for it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from notion_backend import __version__
from notion_backend.cli.errors import reported

COMMANDS = {
    "serve": "Run the HTTP service.",
    "worker": "Run a delivery worker, beside any number of others.",
    "migrate": "Bring the database to the newest revision.",
    "users": "Create, list, disable and enable users; set their passwords.",
    "leads": "Export and import leads.",
    "deliveries": "List mails and send them again.",
    "backup": "Save database and résumés in one archive, while the service runs.",
    "restore": "Bring a backup back, or check that it is good.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments`, or else `sys.argv`, name and return its exit status.

    Whatever goes wrong becomes one line on standard error: status 1, or 2 for wrong usage.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with reported() as outcome:
        app = _application(next((word for word in arguments if not word.startswith("-")), None))
        outcome.status = app(args=arguments, prog_name="notion-backend", standalone_mode=False) or 0
    return outcome.status


def _application(called: str | None) -> typer.Typer:
    app = typer.Typer(
        callback=_options,
        help="A lead-intake backend that never loses a lead or a mail.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, summary in COMMANDS.items():
        if name == called:
            import_module(f"notion_backend.cli.{name}").register(app, name, summary)
        else:
            app.command(name, help=summary)(_not_called)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"notion-backend {__version__}")
        raise typer.Exit


def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Take what stands before the command."""


def _not_called() -> None:
    raise AssertionError
