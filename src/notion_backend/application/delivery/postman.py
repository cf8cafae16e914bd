"""The delivery worker: finds what is due and shares it among sender threads.

The queue only says that there is something to do. A sweep over the due rows finds everything that
it lost, so a Redis that is down, emptied or restarted costs seconds and no mail.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar
from uuid import UUID

import structlog

from notion_backend.application.delivery.circuit_breaker import CircuitBreaker
from notion_backend.application.delivery.heartbeat import Heartbeat
from notion_backend.application.delivery.leases import LEASE, Lease, Leases
from notion_backend.core.errors import BusinessError, Unavailable
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.messages import Composer, Message
from notion_backend.mail.queue import DeliveryQueue
from notion_backend.mail.rendering import MailUnrenderable
from notion_backend.mail.sender import LeaseLost, MailError, MailOutage, Sender

SENDERS = 4
SWEEP_SECONDS = 2.0
_PAUSE_SECONDS = 1.0
_ABSENCE_PAUSE_SECONDS = 0.2

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailRoom:
    """What a postman works with."""

    database: Database
    queue: DeliveryQueue
    leases: Leases
    composer: Composer
    new_sender: Callable[[], Sender]
    """Called once a sender thread: each keeps a connection of its own."""


class Postman:
    """Delivers until it is stopped; several side by side share the work."""

    def __init__(self, room: MailRoom, *, senders: int = SENDERS) -> None:
        self._room = room
        self._senders = senders
        self._most_in_hand = 2 * senders
        self._breaker = CircuitBreaker()
        self._handed_out: SimpleQueue[Lease | None] = SimpleQueue()
        self._in_hand: set[Lease] = set()
        self._begun: set[Lease] = set()
        self._put_down = threading.Condition()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Deliver until `stop`; then finish what is being sent and give back the rest."""
        heartbeat = Heartbeat(self._room.database, self._room.leases, self._breaker, self._sending)
        threads = [
            threading.Thread(target=self._send_what_comes, name=f"sender-{number}")
            for number in range(self._senders)
        ]
        for thread in (heartbeat, *threads):
            thread.start()
        self._room.queue.wake()  # what waited while nobody was here is due before the first ring
        while not self._stopping.is_set():
            try:
                self._share_out()
            except BusinessError as error:  # the database is away and comes back by itself
                _log.warning("delivery_waits", reason=error.detail)
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:  # who ended here would look alive and send nothing for ever
                _log.exception("delivery_broke_off")
                self._stopping.wait(_PAUSE_SECONDS)
        for _ in threads:
            self._handed_out.put(None)
        for thread in threads:
            thread.join()
        heartbeat.stop()
        self._room.leases.close()

    def stop(self) -> None:
        """Ask `run` to end; may be called in any thread."""
        self._stopping.set()
        self._room.queue.wake()

    def _share_out(self) -> None:
        """Wait for a ring or the next sweep, then hand out all that is due."""
        wait = min(SWEEP_SECONDS, self._breaker.seconds_to_probe() or SWEEP_SECONDS)
        named = self._room.queue.take(self._most_in_hand, wait)
        if self._breaker.is_open:
            self._probe()
            return
        if named:
            self._hand_out(named)
        while not self._stopping.is_set() and not self._breaker.is_open:
            if not self._hand_out(None):
                return

    def _probe(self) -> None:
        """Send one mail, the longest due, to see whether the way is open again."""
        # A sender may hang in an exchange for minutes; with the others the way is tried.
        if self._breaker.seconds_to_probe() > 0 or len(self._holding()) >= self._senders:
            return
        leases = self._room.leases.claim(1, but=self._holding())
        for lease in leases:
            self._breaker.begin_probe(lease)
            self._give(lease)
        if not leases:
            self._breaker.nothing_waits()

    def _hand_out(self, among: Sequence[UUID] | None) -> int:
        """Claim no more than the senders can begin soon: a lease ages while it waits."""
        with self._put_down:
            while len(self._in_hand) > self._senders and not self._stopping.is_set():
                self._put_down.wait(_PAUSE_SECONDS)
            room = self._most_in_hand - len(self._in_hand)
        leases = self._room.leases.claim(room, among, but=self._holding())
        for lease in leases:
            self._give(lease)
        return len(leases)

    def _give(self, lease: Lease) -> None:
        with self._put_down:
            self._in_hand.add(lease)
        self._handed_out.put(lease)

    def _holding(self) -> list[Lease]:
        with self._put_down:
            return list(self._in_hand)

    def _sending(self) -> list[Lease]:
        with self._put_down:
            return list(self._begun)

    def _send_what_comes(self) -> None:
        sender = self._room.new_sender()
        while lease := self._handed_out.get():
            try:
                self._deal_with(lease, sender)
            except BusinessError as error:
                # The lease runs out and the mail is claimed again: nothing is lost.
                _log.warning("delivery_not_recorded", reason=error.detail)
            except Exception:
                # A defect of ours: the thread goes on with the next mail. This one's lease runs
                # out like that of a dead worker, so after three times it has failed.
                _log.exception("delivery_broke", delivery=str(lease.delivery_id))
            finally:
                with self._put_down:
                    self._begun.discard(lease)
                    self._in_hand.discard(lease)
                    self._put_down.notify_all()
        sender.close()

    def _deal_with(self, lease: Lease, sender: Sender) -> None:
        leases, since = self._room.leases, self._breaker.turn
        if self._stopping.is_set() or self._breaker.keeps_back(lease):
            leases.release(lease)
            return
        with self._put_down:
            self._begun.add(lease)
        message = self._write(lease)
        if message is None:
            self._breaker.probe_unused(lease)
            return
        delivery = str(lease.delivery_id)
        try:
            reply = sender.send(message, lambda: self._is_held(lease))
        except (LeaseLost, BusinessError):
            # Broken off before the final dot. If the mail is ours after all, it goes back whole.
            _log.warning("lease_lost", delivery=delivery)
            self._through_absence(lambda: leases.give_up(lease))
        except MailError as error:
            failure = error
            if isinstance(failure, MailOutage):
                self._breaker.opened_by(str(failure), since)
            else:
                self._answered(str(failure), since, heard=failure.heard)
            _log.warning("mail_not_sent", stage=failure.stage, delivery=delivery)
            self._through_absence(lambda: leases.record_error(lease, failure))
        else:
            self._answered(None, since, heard=True)
            self._through_absence(lambda: leases.record_sent(lease, reply))
            _log.info("mail_sent", kind=message.kind, delivery=delivery)

    def _write(self, lease: Lease) -> Message | None:
        """Begin an attempt and write its message; None where there is nothing to send."""
        leases = self._room.leases
        mail = self._through_absence(lambda: leases.begin(lease))
        if mail is None:
            return None
        try:
            return self._room.composer.compose(mail)
        except MailUnrenderable as error:
            reason = str(error)
            _log.error("mail_template_failed", kind=mail.kind, reason=reason)
            self._through_absence(lambda: leases.record_unrenderable(lease, reason))
            return None

    def _is_held(self, lease: Lease) -> bool:
        return self._through_absence(lambda: self._room.leases.is_held(lease))

    def _through_absence(self, change: Callable[[], Result]) -> Result:
        """Make a change through an absence of the database; at a stop, as long as a lease lasts.

        A mail that was sent and is not recorded before its lease runs out may be sent again by
        another process; whoever is late then changes nothing.
        """
        patience_ends = time.monotonic() + LEASE.total_seconds()
        while True:
            try:
                return change()
            except Unavailable:
                if self._stopping.is_set() and time.monotonic() > patience_ends:
                    raise
                time.sleep(_ABSENCE_PAUSE_SECONDS)

    def _answered(self, refusal: str | None, since: int, *, heard: bool) -> None:
        """Note that the server answers; after an outage all that waited is due now."""
        was_open = self._breaker.is_open
        self._breaker.closed_by_answer(refusal, since, heard=heard)
        if was_open and not self._breaker.is_open:
            _log.info("mail_flows_again")
            self._room.queue.wake()
