"""Whether mail flows, as staff, readiness and figures all tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from notion_backend.application.delivery.heartbeat import TAKEN_FOR_DEAD
from notion_backend.core.enums import DeliveryStatus
from notion_backend.data.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How mail is doing as a whole."""

    by_status: Mapping[DeliveryStatus, int]
    oldest_due_at: datetime | None
    """Since when the longest waiting mail could have been sent."""
    workers: int
    """Delivery workers that are alive."""
    stopped: bool
    """A worker cannot get mail out, or no worker is alive."""


def look_at_mail(work: UnitOfWork, now: datetime) -> MailHealth:
    """Look at the whole outbox and at the workers' last signs of life."""
    workers = work.workers.alive_since(now - TAKEN_FOR_DEAD)
    return MailHealth(
        by_status=dict.fromkeys(DeliveryStatus, 0) | work.deliveries.counts(),
        oldest_due_at=work.deliveries.oldest_due(now),
        workers=len(workers),
        stopped=not workers or any(worker.outage for worker in workers),
    )
