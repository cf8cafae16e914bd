"""The outbox: mails, their leases and their attempts."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.models import Delivery, DeliveryAttempt


class DeliveryRepository:
    """Reads and writes `deliveries` and `delivery_attempts`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store new mails with the change that causes them."""
        self._session.add_all(deliveries)

    def get(self, delivery_id: UUID, *, lock: bool = False) -> Delivery | None:
        """Return one mail; with `lock` nobody else changes it before the commit."""
        return self._session.get(Delivery, delivery_id, with_for_update=lock or None)

    def claim(
        self,
        *,
        among: Sequence[UUID] | None,
        but: Sequence[UUID] = (),
        limit: int,
        now: datetime,
        token: UUID,
        until: datetime,
    ) -> Sequence[Delivery]:
        """Lease up to `limit` due mails to the holder of `token`, the longest due first.

        Args:
            among: only these, as the queue named them; None looks at all, expired leases too.
            but: not these, though their lease has run out.
            limit: how many at most.
            now: what is due by then.
            token: what every later change of these rows must name.
            until: when the lease ends by itself.
        """
        # What a dead worker left behind is the longest due: a long queue must not stand before it.
        abandoned = self._lock(self._abandoned(now, but), limit) if among is None else []
        for delivery in abandoned:
            delivery.deaths += delivery.in_exchange
            delivery.in_exchange = False
        queued = self._lock(self._queued(now, among), limit - len(abandoned))
        claimed = [*abandoned, *queued]
        for delivery in claimed:
            delivery.status = DeliveryStatus.SENDING
            delivery.lease_token = token
            delivery.lease_expires_at = until
        return claimed

    def held_under(
        self, leases: Collection[tuple[UUID, UUID]]
    ) -> dict[tuple[UUID, UUID], Delivery]:
        """Return the mails, locked, of those leases that stand; each is an id and its token."""
        rows = self._session.scalars(
            select(Delivery)
            .where(
                Delivery.id.in_({delivery_id for delivery_id, _ in leases}),
                Delivery.status == DeliveryStatus.SENDING,
            )
            .order_by(Delivery.id)
            .with_for_update()
        )
        found = {(row.id, row.lease_token): row for row in rows if row.lease_token}
        return {lease: found[lease] for lease in leases if lease in found}

    def is_leased(self, delivery_id: UUID, token: UUID, now: datetime) -> bool:
        """Tell whether the mail is leased to `token` and stays so for now."""
        return (
            self._session.scalar(
                select(Delivery.id).where(
                    Delivery.id == delivery_id,
                    Delivery.lease_token == token,
                    Delivery.status == DeliveryStatus.SENDING,
                    Delivery.lease_expires_at > now,
                )
            )
            is not None
        )

    def log_attempt(self, attempt: DeliveryAttempt) -> None:
        """Keep what the server answered."""
        self._session.add(attempt)

    def of_lead(
        self, lead_id: int, *, after: UUID | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        """Return up to `limit` mails of a lead, oldest first, behind the mail `after`."""
        query = select(Delivery).where(Delivery.lead_id == lead_id).order_by(Delivery.id)
        if after is not None:
            query = query.where(Delivery.id > after)
        return self._session.scalars(query.limit(limit)).all()

    def attempts_of(self, ids: Sequence[UUID]) -> dict[UUID, list[DeliveryAttempt]]:
        """Return the attempts of these mails, oldest first."""
        attempts: dict[UUID, list[DeliveryAttempt]] = {one: [] for one in ids}
        for attempt in self._session.scalars(
            select(DeliveryAttempt)
            .where(DeliveryAttempt.delivery_id.in_(ids))
            .order_by(DeliveryAttempt.id)
        ):
            attempts[attempt.delivery_id].append(attempt)
        return attempts

    def page(
        self, status: DeliveryStatus | None, *, before: UUID | None, limit: int
    ) -> Sequence[Delivery]:
        """Return up to `limit` mails, newest first, older than the mail `before`."""
        query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
        if status is not None:
            query = query.where(Delivery.status == status)
        if before is not None:
            query = query.where(Delivery.id < before)
        return self._session.scalars(query).all()

    def make_due(self, status: DeliveryStatus, now: datetime) -> Sequence[UUID]:
        """Queue every mail of this status for now; return which."""
        ids = self._session.scalars(
            select(Delivery.id).where(Delivery.status == status).with_for_update()
        ).all()
        self._session.execute(
            update(Delivery)
            .where(Delivery.status == status)
            .values(status=DeliveryStatus.QUEUED, next_attempt_at=now, deaths=0)
        )
        return ids

    def mend_clock(self, now: datetime, longest_wait: timedelta, lease: timedelta) -> None:
        """Bring back to the present what was written while a clock was ahead.

        Args:
            now: the time of a clock that is right.
            longest_wait: the longest between two attempts.
            lease: how long a lease lasts. One that ends much later is cut to that: who holds it
                renews it long before, and who died with it does not keep the mail.
        """
        waits, sends = DeliveryStatus.QUEUED, DeliveryStatus.SENDING
        self._session.execute(
            update(Delivery)
            .where(
                Delivery.status == waits,
                or_(
                    and_(Delivery.next_attempt_at > now, Delivery.attempts == 0),
                    Delivery.next_attempt_at > now + longest_wait,
                ),
            )
            .values(next_attempt_at=now)
        )
        self._session.execute(
            update(Delivery)
            .where(Delivery.status == sends, Delivery.lease_expires_at > now + 2 * lease)
            .values(lease_expires_at=now + lease)
        )

    def remove(self, delivery: Delivery) -> None:
        """Delete a mail that is for nobody."""
        self._session.delete(delivery)

    def confirmations_since(self, recipients: Sequence[str], moment: datetime) -> dict[str, int]:
        """Count, per folded address, the confirmations that were not held back since `moment`."""
        rows = self._session.execute(
            select(Delivery.recipient_folded, func.count())
            .where(
                Delivery.recipient_folded.in_(recipients),
                Delivery.created_at > moment,
                Delivery.kind == DeliveryKind.PROSPECT_CONFIRMATION,
                Delivery.status != DeliveryStatus.HELD,
            )
            .group_by(Delivery.recipient_folded)
        )
        return dict(rows.all())

    def counts(self) -> dict[DeliveryStatus, int]:
        """Count the mails by status."""
        rows = self._session.execute(
            select(Delivery.status, func.count()).group_by(Delivery.status)
        )
        return dict(rows.all())

    def oldest_due(self, now: datetime) -> datetime | None:
        """Return since when the longest waiting mail has been due."""
        return self._session.scalar(
            select(func.min(Delivery.next_attempt_at)).where(
                Delivery.status == DeliveryStatus.QUEUED, Delivery.next_attempt_at <= now
            )
        )

    def _queued(self, now: datetime, among: Sequence[UUID] | None) -> Select[Delivery]:
        query = (
            select(Delivery)
            .where(Delivery.status == DeliveryStatus.QUEUED, Delivery.next_attempt_at <= now)
            .order_by(Delivery.next_attempt_at)
        )
        return query if among is None else query.where(Delivery.id.in_(among))

    def _abandoned(self, now: datetime, but: Sequence[UUID]) -> Select[Delivery]:
        return (
            select(Delivery)
            .where(
                Delivery.status == DeliveryStatus.SENDING,
                Delivery.lease_expires_at <= now,
                Delivery.id.not_in(but),
            )
            .order_by(Delivery.next_attempt_at)
        )

    def _lock(self, query: Select[Delivery], limit: int) -> list[Delivery]:
        return list(
            self._session.scalars(query.limit(limit).with_for_update(skip_locked=True)).all()
        )
