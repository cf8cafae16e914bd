"""Renews leases and gives signs of life, whatever the senders are busy with."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import uuid4

import structlog

from notion_backend.application.delivery.circuit_breaker import CircuitBreaker
from notion_backend.application.delivery.leases import LEASE, Lease, Leases
from notion_backend.application.delivery.retry_schedule import LONGEST_DELAY
from notion_backend.application.idempotency import forget_old_keys
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import BusinessError
from notion_backend.data.models import WorkerHeartbeat
from notion_backend.data.unit_of_work import Database

BEAT_SECONDS = 10.0
TAKEN_FOR_DEAD = timedelta(seconds=3 * BEAT_SECONDS)
_RENEWAL_SECONDS = LEASE.total_seconds() / 3
_TICK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Heartbeat(threading.Thread):
    """The thread that keeps a worker's leases and its row in `worker_heartbeats` fresh."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        breaker: CircuitBreaker,
        holding: Callable[[], Sequence[Lease]],
    ) -> None:
        super().__init__(name="heartbeat")
        self._database = database
        self._leases = leases
        self._breaker = breaker
        self._holding = holding
        self._worker_id = uuid4()
        self._stopping = threading.Event()
        self._next_beat = self._next_renewal = 0.0
        self._told: str | None = None

    def run(self) -> None:
        """Beat until `stop`."""
        while not self._stopping.is_set():
            try:
                self._tick(time.monotonic())
            except BusinessError as error:  # the database is away and comes back by itself
                _log.warning("heartbeat_missed", reason=error.detail)
            except Exception:  # without it the leases of a worker that sends would run out
                _log.exception("heartbeat_broke_off")
            self._stopping.wait(_TICK_SECONDS)

    def stop(self) -> None:
        """End the thread and take the worker off the list of the living."""
        self._stopping.set()
        self.join()
        try:
            with self._database.writing() as work:
                work.workers.remove(self._worker_id)
                work.commit()
        except BusinessError as error:
            _log.warning("heartbeat_not_removed", reason=error.detail)

    def _tick(self, now: float) -> None:
        if now >= self._next_renewal and (held := self._holding()):
            self._leases.renew(held)
            self._next_renewal = now + _RENEWAL_SECONDS
        # What changes between mail flowing and mail stopped is told at once.
        if now >= self._next_beat or self._breaker.trouble != self._told:
            self._beat()
            self._next_beat = now + BEAT_SECONDS

    def _beat(self) -> None:
        now = utcnow()
        trouble = self._breaker.trouble
        with self._database.writing() as work:
            work.workers.beat(
                WorkerHeartbeat(
                    id=self._worker_id,
                    seen_at=now,
                    failures_in_a_row=self._breaker.failures_in_a_row,
                    outage=trouble and trouble[:500],
                )
            )
            work.workers.remove_before(now - 10 * TAKEN_FOR_DEAD)
            forget_old_keys(work, now)
            work.leases.mend_clock(now, LONGEST_DELAY, LEASE)
            work.commit()
        self._told = trouble
