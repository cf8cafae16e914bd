"""Whether mail flows, as staff, readiness and figures all tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notion_backend.application.delivery.circuit_breaker import read_trouble
from notion_backend.application.delivery.heartbeat import TAKEN_FOR_DEAD
from notion_backend.core.enums import DeliveryStatus
from notion_backend.core.sentences import say
from notion_backend.data.models import WorkerHeartbeat
from notion_backend.data.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How mail is doing as a whole."""

    by_status: Mapping[DeliveryStatus, int]
    oldest_due_at: datetime | None
    """Since when the longest waiting mail could have been sent."""
    workers: int
    """Delivery workers that are alive."""
    trouble: str | None
    """Why mail has stopped, in a sentence for staff; None while it flows."""

    @property
    def stopped(self) -> bool:
        """Tell whether a worker cannot get mail out, or no worker is alive."""
        return self.trouble is not None


def why_stopped(workers: Sequence[WorkerHeartbeat]) -> str | None:
    """Say in a sentence why mail has stopped, given the workers that are alive; None if not."""
    if not workers:
        return say("No delivery worker is alive; start `notion-backend worker`.")
    return next((read_trouble(worker.outage) for worker in workers if worker.outage), None)


def look_at_mail(work: UnitOfWork, now: datetime, most: int | None = None) -> MailHealth:
    """Look at the whole outbox and at the workers' last signs of life.

    With `most` no more mails of a status are counted: years of sent mail take a while.
    """
    workers = work.workers.alive_since(now - TAKEN_FOR_DEAD)
    return MailHealth(
        by_status=dict.fromkeys(DeliveryStatus, 0) | work.deliveries.counts(most),
        oldest_due_at=work.deliveries.oldest_due(now),
        workers=len(workers),
        trouble=why_stopped(workers),
    )
