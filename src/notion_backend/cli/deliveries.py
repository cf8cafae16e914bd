"""`notion-backend deliveries`: the ledger of mails from the shell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer

from notion_backend.application.actor import SHELL
from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.application.paging import Cursors
from notion_backend.cli.errors import complain
from notion_backend.cli.foundations import foundations
from notion_backend.cli.output import show_rows
from notion_backend.core.enums import DeliveryStatus
from notion_backend.core.errors import Conflict, NotFound

_COLUMNS = (
    "id", "lead_id", "kind", "recipient", "status", "attempts", "last_reply", "next_attempt_at",
    "sent_at", "created_at",
)  # fmt: skip


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the commands."""
    group = typer.Typer(help=summary)
    group.command("list")(list_deliveries)
    group.command("retry")(retry)
    app.add_typer(group, name=name)


def list_deliveries(
    status: Annotated[
        DeliveryStatus | None, typer.Option(case_sensitive=False, help="Only these.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List mails, newest first."""
    with _service() as service:
        page = service.page(status, limit=limit)
    rows = [{name: getattr(one, name) for name in _COLUMNS} for one in page.items]
    show_rows(rows, _COLUMNS, as_json=as_json)
    if page.next_cursor:
        complain(f"There are more; --limit shows up to 10000, {limit} now.")


def retry(
    ids: Annotated[list[UUID] | None, typer.Argument(metavar="ID...", help="Of mails.")] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that FAILED.")] = False,
) -> int:
    """Send mails again that FAILED, were HELD, or are QUEUED for later. They keep their Message-ID.

    The exit status is 1 if one of them is not there, is being sent, or was sent.
    """
    if bool(ids) is all_failed:
        raise typer.BadParameter("Name the ids of mails, or --all-failed.")
    with _service() as service:
        if all_failed:
            count = service.retry_all(SHELL, DeliveryStatus.FAILED)
        else:
            count = sum(_retry_one(service, one) for one in ids or ())
    typer.echo(f"Due now: {count}.")
    return 0 if all_failed or count == len(ids or ()) else 1


def _retry_one(service: DeliveryService, delivery_id: UUID) -> bool:
    try:
        service.retry(SHELL, delivery_id)
    except (NotFound, Conflict) as error:
        complain(f"{delivery_id}: {error.detail}")
        return False
    return True


@contextmanager
def _service() -> Iterator[DeliveryService]:
    with foundations() as on:
        yield DeliveryService(on.database, on.queue, Cursors(on.secret))
