"""Whether the service can do its work, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from notion_backend.application.delivery.heartbeat import TAKEN_FOR_DEAD
from notion_backend.application.delivery.mail_health import why_stopped
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import BusinessError
from notion_backend.data.models import WorkerHeartbeat
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import DeliveryQueue

OK = "ok"


class Readiness(StrEnum):
    """How ready the whole is; `degraded` still takes every lead."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The whole and its parts: `ok`, or in a sentence what is wrong and what follows from it."""

    status: Readiness
    parts: Mapping[str, str]


class HealthService:
    """Looks at the parts that the service needs."""

    def __init__(self, database: Database, queue: DeliveryQueue) -> None:
        self._database = database
        self._queue = queue

    def report(self) -> HealthReport:
        """Look at each part now; without the database no lead can be taken."""
        try:
            mail, worker = self._mail()
            self._database.check_that_it_stores()
        except BusinessError as error:
            return HealthReport(Readiness.FAILING, {"database": error.detail})
        queue = OK if self._queue.is_healthy() else "Redis is away; mails go out by the sweep."
        parts = {"database": OK, "queue": queue, "mail": mail, "worker": worker}
        healthy = all(said == OK for said in parts.values())
        return HealthReport(Readiness.OK if healthy else Readiness.DEGRADED, parts)

    def mail_trouble(self) -> str | None:
        """Say in a sentence for staff why mail has stopped; None while it flows."""
        return why_stopped(self._workers())

    def _mail(self) -> tuple[str, str]:
        workers = self._workers()
        outages = [worker.outage for worker in workers if worker.outage]
        # The server's words can name hosts and people: they stay in the ledger.
        mail = "Mail has stopped; the delivery ledger says why." if outages else OK
        return (
            mail,
            OK if workers else "No delivery worker is alive; start `notion-backend worker`.",
        )

    def _workers(self) -> Sequence[WorkerHeartbeat]:
        with self._database.reading() as work:
            return work.workers.alive_since(utcnow() - TAKEN_FOR_DEAD)
