"""Bugs that the harness must catch: each is what some system really does.

Planted into a process under test by CRASH_BUG, never into anything else.
"""

import io
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from notion_backend.application.delivery.leases import Lease, Leases
from notion_backend.application.intake import intake
from notion_backend.application.intake.intake import Intake, Receipt
from notion_backend.application.intake.submissions import Submission
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryStatus, LeadState
from notion_backend.core.ids import new_reference
from notion_backend.data.models import Delivery
from notion_backend.data.repositories.deliveries import DeliveryRepository
from notion_backend.data.repositories.idempotency import IdempotencyRepository
from notion_backend.data.repositories.leases import _COLUMNS, LeasedMail, LeaseRepository
from notion_backend.data.rows import DeliveryRow
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.messages import Composer, Mail, Message

_LATE_SECONDS = 0.3


def plant(name: str) -> None:
    """Change this process so that it has the bug."""
    BUGS[name]()


def _answer_before_commit() -> None:
    """Store after the answer, as an endpoint does whose session commits when it is left."""
    store = Intake._store

    def answer_first(self: Intake, submissions: Sequence[Submission]) -> list[Any]:
        references = [new_reference() for _ in submissions]
        contents = [(one, one.upload.content.read()) for one in submissions]

        def later() -> None:
            time.sleep(_LATE_SECONDS)
            left = iter(references)
            intake.new_reference = lambda: next(left)
            kept = [
                replace(one, upload=replace(one.upload, content=io.BytesIO(data)))
                for one, data in contents
            ]
            store(self, kept)

        threading.Thread(target=later, daemon=True).start()
        return [Receipt(one, LeadState.PENDING, utcnow()) for one in references]

    Intake._store = answer_first  # type: ignore[method-assign]


def _mails_after_the_commit() -> None:
    """Tell the queue of mails that have no row yet, as jobs pushed behind a response are."""
    insert = DeliveryRepository.insert
    database: list[Database] = []
    begin = Intake.__init__

    def remember(self: Intake, on: Database, *arguments: Any) -> None:
        database.append(on)
        begin(self, on, *arguments)

    def insert_later(_: DeliveryRepository, deliveries: Sequence[DeliveryRow]) -> None:
        def later() -> None:
            time.sleep(_LATE_SECONDS)
            with database[0].writing() as work:
                insert(work.deliveries, deliveries)
                work.commit()

        threading.Thread(target=later, daemon=True).start()

    Intake.__init__ = remember  # type: ignore[method-assign]
    DeliveryRepository.insert = insert_later  # type: ignore[method-assign]


def _sent_before_smtp() -> None:
    """Write SENT first and hand the mail in then."""
    begin = Leases.begin

    def begin_sent(self: Leases, lease: Lease) -> Mail | None:
        mail = begin(self, lease)
        if mail:
            _write_sent(self, lease)
        return mail

    Leases.begin = begin_sent  # type: ignore[method-assign]
    Leases.is_held = lambda *_: True  # type: ignore[method-assign,assignment]


def _new_message_id_each_time() -> None:
    """Give each attempt a name of its own, so that nobody can tell a copy."""
    compose = Composer.compose

    def rename(self: Composer, mail: Mail) -> Message:
        return compose(self, replace(mail, id=uuid4()))

    Composer.compose = rename  # type: ignore[method-assign]


def _no_lease() -> None:
    """Claim nothing: whoever looks sends what is due."""
    claim = LeaseRepository.claim

    def claim_for_no_time(self: LeaseRepository, **options: Any) -> list[UUID]:
        return claim(self, **(options | {"until": options["now"]}))

    LeaseRepository.claim = claim_for_no_time  # type: ignore[method-assign]
    _ignore_the_token()


def _lease_without_fence() -> None:
    """Let a worker that was paused go on with a mail that somebody else has."""
    _ignore_the_token()


def _key_in_memory_only() -> None:
    """Remember idempotency keys outside the database."""
    IdempotencyRepository.insert = lambda *_: None  # type: ignore[method-assign,assignment]


def _sweep_that_ignores_sending() -> None:
    """Never look at what a dead worker had in hand."""
    LeaseRepository._abandoned = lambda *_: []  # type: ignore[method-assign,assignment]


def _checkpoint_first() -> None:
    """Move past a batch before it is sent."""
    claim = Leases.claim

    def claim_and_pass(self: Leases, *arguments: Any, **options: Any) -> list[Lease]:
        leases = claim(self, *arguments, **options)
        for lease in leases:
            _write_sent(self, lease)
        return leases

    Leases.claim = claim_and_pass  # type: ignore[method-assign]
    _ignore_the_token()


def _stale_locks_deleted() -> None:
    """Delete what a dead worker had locked."""
    claim = LeaseRepository.claim

    def delete_stale(self: LeaseRepository, **options: Any) -> list[UUID]:
        if options["among"] is None:
            stale = [row.id for row in self._abandoned(options["now"], (), 100)]
            self._session.execute(delete(Delivery).where(Delivery.id.in_(stale)))
            self._session.commit()
        return claim(self, **options)

    LeaseRepository.claim = delete_stale  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "answer before commit": _answer_before_commit,
    "push to Redis with no row": _mails_after_the_commit,
    "SENT before SMTP": _sent_before_smtp,
    "a new Message-ID per attempt": _new_message_id_each_time,
    "no lease": _no_lease,
    "lease without fence": _lease_without_fence,
    "idempotency key in Redis only": _key_in_memory_only,
    "a sweep that ignores SENDING": _sweep_that_ignores_sending,
    "checkpoint first": _checkpoint_first,
    "stale locks deleted": _stale_locks_deleted,
}


def _ignore_the_token() -> None:
    def held(
        self: LeaseRepository, leases: Collection[tuple[UUID, UUID]]
    ) -> dict[tuple[UUID, UUID], LeasedMail]:
        rows = self._session.execute(
            select(*_COLUMNS).where(Delivery.id.in_([mail_id for mail_id, _ in leases]))
        )
        found = {row.id: LeasedMail(*row) for row in rows}
        return {lease: found[lease[0]] for lease in leases if lease[0] in found}

    LeaseRepository.held_under = held  # type: ignore[method-assign]
    Leases.is_held = lambda *_: True  # type: ignore[method-assign,assignment]


def _write_sent(leases: Leases, lease: Lease) -> None:
    with leases._database.writing() as work:
        delivery = work.deliveries.get(lease.delivery_id)
        if delivery is not None:
            delivery.status = DeliveryStatus.SENT
            work.commit()
