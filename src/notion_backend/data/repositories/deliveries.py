"""The outbox as staff see it: mails and their attempts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import Delivery, DeliveryAttempt
from notion_backend.data.rows import DeliveryRow

_AT_REST = (DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.HELD)


class DeliveryRepository:
    """Reads and writes `deliveries` and `delivery_attempts`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, deliveries: Sequence[DeliveryRow]) -> None:
        """Store new mails with the change that causes them."""
        insert_rows(self._session, Delivery, deliveries)

    def get(self, delivery_id: UUID, *, lock: bool = False) -> Delivery | None:
        """Return one mail; with `lock` nobody else changes it before the commit."""
        return self._session.get(Delivery, delivery_id, with_for_update=lock or None)

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
        if status in _AT_REST:
            # Always so, and said so that the index gives them in their order.
            query = query.where(Delivery.next_attempt_at.is_(None))
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

    def counts(self, most: int | None = None) -> dict[DeliveryStatus, int]:
        """Count the mails by status, up to `most` of each."""
        if most is not None:
            return {status: self._count(status, most) for status in DeliveryStatus}
        rows = self._session.execute(
            select(Delivery.status, func.count()).group_by(Delivery.status)
        )
        return dict(rows.all())

    def _count(self, status: DeliveryStatus, most: int) -> int:
        counted = select(Delivery.id).where(Delivery.status == status).limit(most).subquery()
        return self._session.scalars(select(func.count()).select_from(counted)).one()

    def oldest_due(self, now: datetime) -> datetime | None:
        """Return since when the longest waiting mail has been due."""
        return self._session.scalar(
            select(func.min(Delivery.next_attempt_at)).where(
                Delivery.status == DeliveryStatus.QUEUED, Delivery.next_attempt_at <= now
            )
        )
