"""The ledger of mails, for staff and the shell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from notion_backend.application.actor import Actor
from notion_backend.application.delivery.mail_health import MailHealth, look_at_mail
from notion_backend.application.paging import Cursors, Page
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryStatus
from notion_backend.core.errors import Conflict, NotFound
from notion_backend.core.sentences import say
from notion_backend.data.models import Delivery, DeliveryAttempt, Event
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import DeliveryQueue

RETRIABLE = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.FAILED, DeliveryStatus.HELD})


@dataclass(frozen=True, slots=True)
class LeadDeliveries:
    """Mails of a lead and, by mail, every attempt; then the cursor behind the last of them."""

    deliveries: Sequence[Delivery]
    attempts: Mapping[UUID, Sequence[DeliveryAttempt]]
    next_cursor: str | None


class DeliveryService:
    """Shows every mail and sends again what a person wants sent."""

    def __init__(self, database: Database, queue: DeliveryQueue, cursors: Cursors) -> None:
        self._database = database
        self._queue = queue
        self._cursors = cursors

    def page(
        self, status: DeliveryStatus | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Delivery]:
        """Return mails, newest first.

        Raises:
            InvalidInput: the cursor is not of this list.
        """
        scope = f"deliveries:{status}"
        before = UUID(str(self._cursors.open(scope, cursor)[0])) if cursor else None
        with self._database.reading() as work:
            found = work.deliveries.page(status, before=before, limit=limit + 1)
        more = len(found) > limit
        items = found[:limit]
        return Page(items, self._cursors.seal(scope, [str(items[-1].id)]) if more else None)

    def of_lead(self, lead_id: int, cursor: str | None = None, limit: int = 200) -> LeadDeliveries:
        """Return mails of a lead, oldest first, with their attempts.

        Raises:
            NotFound: there is no such lead.
            InvalidInput: the cursor is not of this list.
        """
        scope = f"deliveries-of:{lead_id}"
        after = UUID(str(self._cursors.open(scope, cursor)[0])) if cursor else None
        with self._database.reading() as work:
            if not work.leads.exists(lead_id):
                raise NotFound("There is no such lead.")
            found = work.deliveries.of_lead(lead_id, after=after, limit=limit + 1)
            deliveries = found[:limit]
            attempts = work.deliveries.attempts_of([delivery.id for delivery in deliveries])
        more = len(found) > limit
        next_cursor = self._cursors.seal(scope, [str(deliveries[-1].id)]) if more else None
        return LeadDeliveries(deliveries, attempts, next_cursor)

    def get(self, delivery_id: UUID) -> Delivery:
        """Return one mail.

        Raises:
            NotFound: there is none, or its lead was erased.
        """
        with self._database.reading() as work:
            delivery = work.deliveries.get(delivery_id)
        if delivery is None:
            raise NotFound("There is no such mail.")
        return delivery

    def health(self, most: int | None = None) -> MailHealth:
        """Look at the whole outbox; count up to `most` mails of each status."""
        with self._database.reading() as work:
            return look_at_mail(work, utcnow(), most)

    def retry(self, actor: Actor, delivery_id: UUID) -> Delivery:
        """Make a failed, held or waiting mail due now, under its old Message-ID.

        Raises:
            NotFound: there is no such mail.
            Conflict: it is being sent or was sent.
        """
        now = utcnow()
        with self._database.writing() as work:
            delivery = work.deliveries.get(delivery_id, lock=True)
            if delivery is None:
                raise NotFound("There is no such mail.")
            if delivery.status not in RETRIABLE:
                raise Conflict(
                    say(
                        "This mail is {status}; only a QUEUED, FAILED or HELD one is sent.",
                        status=delivery.status,
                    ),
                    code="not_retriable",
                )
            delivery.requeue(now)
            delivery.deaths = 0
            work.events.add(
                Event(
                    lead_id=delivery.lead_id,
                    at=now,
                    actor=actor.username,
                    action="delivery.retried",
                    detail=delivery.kind,
                    address=actor.address,
                )
            )
            work.commit()
        self._queue.ring([delivery_id])
        return delivery

    def retry_all(self, actor: Actor, status: DeliveryStatus) -> int:
        """Make every mail of this status due now; return how many.

        Raises:
            Conflict: mails of this status are being sent or were sent.
        """
        if status not in RETRIABLE:
            raise Conflict(
                f"Mails that are {status} are not sent again; name FAILED, HELD or QUEUED.",
                code="not_retriable",
            )
        now = utcnow()
        with self._database.writing() as work:
            ids = work.deliveries.make_due(status, now)
            work.events.add(
                Event(
                    at=now,
                    actor=actor.username,
                    action="deliveries.retried",
                    detail=f"{len(ids)} that were {status}",
                    address=actor.address,
                )
            )
            work.commit()
        self._queue.ring(ids)
        return len(ids)
