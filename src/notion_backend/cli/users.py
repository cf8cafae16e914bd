"""`notion-backend users`: who may sign in, from the shell."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from notion_backend.application.accounts.accounts import Accounts
from notion_backend.application.actor import SHELL
from notion_backend.cli.foundations import foundations
from notion_backend.cli.output import show_rows
from notion_backend.core.enums import Role
from notion_backend.core.errors import InvalidInput

_COLUMNS = ("id", "username", "email", "role", "disabled", "created_at", "last_login_at")
_PAGE = 200
_MOST_BYTES = 64 * 1024
"""Far more than a password may have; the rule itself tells what is too long."""

Username = Annotated[str, typer.Argument(help="As they sign in; upper and lower case are one.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the commands."""
    group = typer.Typer(help=summary)
    group.command("create")(create)
    group.command("list")(list_users)
    group.command("disable")(disable)
    group.command("enable")(enable)
    group.command("set-password")(set_password)
    app.add_typer(group, name=name)


def create(
    username: Username,
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    role: Annotated[Role, typer.Option(help="Administrators also manage users.")] = Role.STAFF,
    password_stdin: FromStdin = False,
) -> None:
    """Create a user; the password is asked for unless it comes on standard input."""
    password = _read_password(from_stdin=password_stdin)
    with _accounts() as accounts:
        user = accounts.users.create(SHELL, username, email, role, password)
    typer.echo(f"Created {user.username}, role {user.role}.")


def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List all users."""
    rows = []
    with _accounts() as accounts:
        cursor = None
        while True:
            page = accounts.users.page(SHELL, cursor, _PAGE)
            rows += [{name: getattr(user, name) for name in _COLUMNS} for user in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    show_rows(rows, _COLUMNS, as_json=as_json)


def disable(username: Username) -> None:
    """Refuse a user from now on, and end their sessions."""
    with _accounts() as accounts:
        user = accounts.users.set_disabled(SHELL, username, disabled=True)
    typer.echo(f"Disabled {user.username}.")


def enable(username: Username) -> None:
    """Let a disabled user sign in again."""
    with _accounts() as accounts:
        user = accounts.users.set_disabled(SHELL, username, disabled=False)
    typer.echo(f"Enabled {user.username}.")


def set_password(username: Username, password_stdin: FromStdin = False) -> None:
    """Set a user's password and end their sessions."""
    password = _read_password(from_stdin=password_stdin)
    with _accounts() as accounts:
        user = accounts.passwords.set_for(SHELL, username, password)
    typer.echo(f"Set the password of {user.username}.")


@contextmanager
def _accounts() -> Iterator[Accounts]:
    with foundations() as on:
        yield Accounts.build(on.database, on.queue, on.settings, on.secret)


def _read_password(*, from_stdin: bool) -> str:
    """Return the password without the line break that ends it."""
    if from_stdin:
        try:
            text = sys.stdin.buffer.read(_MOST_BYTES).decode()
        except UnicodeDecodeError:
            raise InvalidInput("The password on standard input is not UTF-8.") from None
        return text.removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise typer.BadParameter("Here is no terminal to ask for a password; use --password-stdin.")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password
