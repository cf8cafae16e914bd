"""The worker's side of the outbox: claim with a fence, count before the exchange, record after it.

Every change names the lease's token, so a worker that was paused and comes back changes nothing.
What the senders of a process begin and end at the same time shares a commit: a mail that the server
has and we have not recorded would be sent twice if we died, and no result waits for more than the
commit that is under way.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from notion_backend.application.delivery.retry_schedule import AFTER_SILENCE, delay_after
from notion_backend.application.shared_commits import SharedCommits
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryStatus
from notion_backend.core.sentences import say
from notion_backend.data.repositories.leases import LeasedMail
from notion_backend.data.unit_of_work import Database, UnitOfWork
from notion_backend.mail.messages import Mail
from notion_backend.mail.sender import (
    MailDeferred,
    MailError,
    MailOutage,
    MailRejected,
    MailUncertain,
    clean_reply,
)

LEASE = timedelta(seconds=30)
MOST_DEATHS = 3
MOST_RENDERINGS = 3
_FRESH_SECONDS = 1.0
_TRIES_FOR_A_FRESH_ANSWER = 3


class Contexts(Protocol):
    """Fills in what a mail shows but its row must not hold."""

    def context_for(self, work: UnitOfWork, mail: LeasedMail) -> Mapping[str, str] | None:
        """Return what the template shows; None when the mail is for nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send one mail, until somebody else claims it."""

    delivery_id: UUID
    token: UUID


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to happen to a mail as long as its lease stands."""

    lease: Lease
    make: Callable[[UnitOfWork, LeasedMail, datetime], Mail | None]


class Leases:
    """Claims mails and records what became of them; when a method returns, that is committed."""

    def __init__(self, database: Database, contexts: Contexts) -> None:
        self._database = database
        self._contexts = contexts
        self._commits = SharedCommits(self._make_all)

    def claim(
        self, limit: int, among: Sequence[UUID] | None = None, *, but: Sequence[Lease] = ()
    ) -> list[Lease]:
        """Lease up to `limit` due mails, of those named or of all, oldest first.

        Args:
            limit: how many at most.
            among: only these; None for all.
            but: what the caller has in hand: it does not take over from itself.
        """
        now = utcnow()
        token = uuid4()
        with self._database.writing() as work:
            claimed = work.leases.claim(
                among=among,
                but=[lease.delivery_id for lease in but],
                limit=limit,
                now=now,
                token=token,
                until=now + LEASE,
            )
            if not claimed:
                return []
            work.commit()
        return [Lease(mail_id, token) for mail_id in claimed]

    def renew(self, leases: Sequence[Lease]) -> None:
        """Prolong these leases, those that are lost excepted."""
        until = utcnow() + LEASE
        with self._database.writing() as work:
            pairs = [(lease.delivery_id, lease.token) for lease in leases]
            held = work.leases.held_under(pairs).values()
            for mail in held:
                mail.lease_expires_at = until
            work.leases.save(held)
            work.commit()

    def begin(self, lease: Lease) -> Mail | None:
        """Count the attempt and return what to send; None when there is nothing to do.

        An attempt is counted before its exchange, so that a mail that kills its worker is known:
        after three deaths it has failed.
        """

        def begun(work: UnitOfWork, mail: LeasedMail, now: datetime) -> Mail | None:
            context = self._contexts.context_for(work, mail)
            if context is None:
                work.leases.remove(mail)
                return None
            if mail.deaths >= MOST_DEATHS:
                _fail(work, mail, "worker", say("Three workers died while sending this mail."), now)
                return None
            mail.attempts += 1
            mail.in_exchange = True
            mail.lease_expires_at = now + LEASE
            return Mail(mail.id, mail.kind, mail.recipient, mail.created_at, context)

        return self._commits.wait_for(_Change(lease, begun))

    def is_held(self, lease: Lease) -> bool:
        """Tell whether the lease still stands, as asked once more before the final dot.

        An answer that took long says nothing of now: the process may have stood still meanwhile,
        and somebody else may have the mail.
        """
        for _ in range(_TRIES_FOR_A_FRESH_ANSWER):
            asked = time.monotonic()
            with self._database.reading() as work:
                held = work.leases.is_leased(lease.delivery_id, lease.token, utcnow())
            if not held or time.monotonic() - asked < _FRESH_SECONDS:
                return held
        return False

    def release(self, lease: Lease) -> None:
        """Give back a mail whose exchange never began."""

        def released(_: UnitOfWork, mail: LeasedMail, now: datetime) -> None:
            mail.requeue(mail.next_attempt_at or now)

        self._commits.wait_for(_Change(lease, released))

    def give_up(self, lease: Lease) -> None:
        """Give back a mail whose exchange was broken off by us: it is nobody's attempt or death."""

        def given_up(_: UnitOfWork, mail: LeasedMail, now: datetime) -> None:
            mail.attempts -= 1
            mail.requeue(mail.next_attempt_at or now)

        self._commits.wait_for(_Change(lease, given_up))

    def record_sent(self, lease: Lease, reply: str) -> None:
        """Record that the server has it."""

        def sent(work: UnitOfWork, mail: LeasedMail, now: datetime) -> None:
            _note_attempt(work, mail, "sent", reply, now)
            mail.requeue(now)
            mail.status = DeliveryStatus.SENT
            mail.next_attempt_at = None
            mail.sent_at = now

        self._commits.wait_for(_Change(lease, sent))

    def record_error(self, lease: Lease, error: MailError) -> None:
        """Record what went wrong; who failed decides what happens next (`docs/delivery.md`)."""

        def failed(work: UnitOfWork, mail: LeasedMail, now: datetime) -> None:
            if isinstance(error, MailOutage):
                # Not this mail's fault: the attempt does not count, and it keeps its place in the
                # line. At MAIL the server knows of this mail, so another one is tried next.
                mail.attempts -= 1
                mail.last_reply = str(error)[:500]
                place = now if error.stage == "mail" else mail.next_attempt_at
                mail.requeue(place or now)
                return
            delay = _delay(error, mail.attempts)
            if delay is None:
                _fail(work, mail, error.stage, error.reply, now)
            else:
                _note_attempt(work, mail, error.stage, error.reply, now)
                mail.requeue(now + delay)

        self._commits.wait_for(_Change(lease, failed))

    def record_unrenderable(self, lease: Lease, reason: str) -> None:
        """Record that the template failed; after three times it is for a person to mend."""
        reason = clean_reply(reason)

        def failed(work: UnitOfWork, mail: LeasedMail, now: datetime) -> None:
            delay = delay_after(mail.attempts)
            if mail.attempts >= MOST_RENDERINGS or delay is None:
                _fail(work, mail, "template", reason, now)
            else:
                _note_attempt(work, mail, "template", reason, now)
                mail.requeue(now + delay)

        self._commits.wait_for(_Change(lease, failed))

    def close(self) -> None:
        """Commit what waits; afterwards nothing is changed any more."""
        self._commits.close()

    def _make_all(self, changes: Sequence[_Change]) -> list[Mail | None]:
        """Make, in one commit, those changes whose lease stands."""
        with self._database.writing(urgent=True) as work:
            leases = [(change.lease.delivery_id, change.lease.token) for change in changes]
            held = work.leases.held_under(leases)
            now = utcnow()
            results = [
                # Where somebody else has the mail now, what they record counts.
                change.make(work, held[lease], now) if lease in held else None
                for change, lease in zip(changes, leases, strict=True)
            ]
            work.leases.save(held.values())
            work.commit()
        return results


def _delay(error: MailError, attempts: int) -> timedelta | None:
    if isinstance(error, MailRejected):
        return None
    if isinstance(error, MailDeferred):
        return delay_after(attempts, asked=error.retry_after)
    if isinstance(error, MailUncertain):
        return delay_after(attempts, asked=AFTER_SILENCE.total_seconds())
    return delay_after(attempts)


def _fail(work: UnitOfWork, mail: LeasedMail, stage: str, reply: str, now: datetime) -> None:
    _note_attempt(work, mail, stage, reply, now)
    mail.requeue(now)
    mail.status = DeliveryStatus.FAILED
    mail.next_attempt_at = None


def _note_attempt(
    work: UnitOfWork, mail: LeasedMail, stage: str, reply: str, now: datetime
) -> None:
    mail.last_reply = reply
    work.leases.note_attempt({"delivery_id": mail.id, "at": now, "stage": stage, "reply": reply})
