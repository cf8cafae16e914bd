"""The worker's side of the outbox: who sends a mail, until when, and what became of it.

Several of these statements are made for each mail. They are built once, since building one takes
longer than running it, and they give rows instead of objects that a session follows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.bulk import insert_rows, table_of
from notion_backend.data.models import Delivery, DeliveryAttempt
from notion_backend.data.rows import AttemptRow

_MAILS = table_of(Delivery).c
_WAITS = _MAILS.status == DeliveryStatus.QUEUED
_IN_HAND = _MAILS.status == DeliveryStatus.SENDING


@dataclass(slots=True)
class LeasedMail:
    """A mail in hand: the columns of its row that a worker reads or writes."""

    id: UUID
    kind: DeliveryKind
    recipient: str
    recipient_folded: str
    context: dict[str, Any]
    created_at: datetime
    status: DeliveryStatus
    attempts: int
    deaths: int
    in_exchange: bool
    last_reply: str | None
    next_attempt_at: datetime | None
    lease_token: UUID | None
    lease_expires_at: datetime | None
    sent_at: datetime | None

    def requeue(self, due: datetime) -> None:
        """Give up the lease and wait for `due`."""
        self.status = DeliveryStatus.QUEUED
        self.next_attempt_at = due
        self.lease_token = self.lease_expires_at = None
        self.in_exchange = False


_COLUMNS = tuple(_MAILS[name] for name in LeasedMail.__slots__)
_CHANGED = tuple(
    name
    for name in LeasedMail.__slots__
    if name not in {"id", "kind", "recipient_folded", "context", "created_at"}
)


def _claimable(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_MAILS.id, _MAILS.deaths, _MAILS.in_exchange)
        .where(*conditions)
        .order_by(_MAILS.next_attempt_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


_IDS: BindParameter[UUID] = bindparam("ids", expanding=True)
_NOW = bindparam("now", type_=_MAILS.created_at.type)
_QUEUED = _claimable(_WAITS, _MAILS.next_attempt_at <= _NOW)
_QUEUED_AMONG = _claimable(_WAITS, _MAILS.next_attempt_at <= _NOW, _MAILS.id.in_(_IDS))
_ABANDONED = _claimable(_IN_HAND, _MAILS.lease_expires_at <= _NOW, _MAILS.id.not_in(_IDS))
_HELD = select(*_COLUMNS).where(_MAILS.id.in_(_IDS), _IN_HAND).order_by(_MAILS.id).with_for_update()
_IS_LEASED = select(_MAILS.id).where(
    _MAILS.id == bindparam("row_id"),
    _MAILS.lease_token == bindparam("token"),
    _IN_HAND,
    _MAILS.lease_expires_at > _NOW,
)
_SAVE = update(table_of(Delivery)).where(_MAILS.id == bindparam("row_id"))


class LeaseRepository:
    """Claims rows of `deliveries` and writes what became of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._attempts: list[AttemptRow] = []

    def claim(
        self,
        *,
        among: Sequence[UUID] | None,
        but: Sequence[UUID] = (),
        limit: int,
        now: datetime,
        token: UUID,
        until: datetime,
    ) -> list[UUID]:
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
        found = list(self._abandoned(now, but, limit)) if among is None else []
        if room := limit - len(found):
            found += self._queued(now, among, room)
        self._save(
            {
                "row_id": mail_id,
                "status": DeliveryStatus.SENDING,
                "lease_token": token,
                "lease_expires_at": until,
                "deaths": deaths + died,
                "in_exchange": False,
            }
            for mail_id, deaths, died in found
        )
        return [mail_id for mail_id, _, _ in found]

    def held_under(
        self, leases: Collection[tuple[UUID, UUID]]
    ) -> dict[tuple[UUID, UUID], LeasedMail]:
        """Return the mails, locked, of those leases that stand; each is an id and its token."""
        ids = {mail_id for mail_id, _ in leases}
        rows = self._session.execute(_HELD, {"ids": list(ids)})
        found = {(row.id, row.lease_token): LeasedMail(*row) for row in rows}
        return {lease: found[lease] for lease in leases if lease in found}

    def save(self, mails: Iterable[LeasedMail]) -> None:
        """Write everything that may have changed in these mails, and the attempts noted since."""
        self._save(
            {"row_id": mail.id} | {column: getattr(mail, column) for column in _CHANGED}
            for mail in mails
        )
        insert_rows(self._session, DeliveryAttempt, self._attempts)
        self._attempts = []

    def remove(self, mail: LeasedMail) -> None:
        """Delete a mail that is for nobody."""
        self._session.execute(delete(Delivery).where(Delivery.id == mail.id))

    def note_attempt(self, attempt: AttemptRow) -> None:
        """Note what the server answered, for the next `save`."""
        self._attempts.append(attempt)

    def is_leased(self, mail_id: UUID, token: UUID, now: datetime) -> bool:
        """Tell whether the mail is leased to `token` and stays so for now."""
        asked = {"row_id": mail_id, "token": token, "now": now}
        return self._session.execute(_IS_LEASED, asked).first() is not None

    def mend_clock(self, now: datetime, longest_wait: timedelta, lease: timedelta) -> None:
        """Bring back to the present what was written while a clock was ahead.

        Args:
            now: the time of a clock that is right.
            longest_wait: the longest between two attempts.
            lease: how long a lease lasts. One that ends much later is cut to that: who holds it
                renews it long before, and who died with it does not keep the mail.
        """
        too_late = or_(
            and_(Delivery.next_attempt_at > now, Delivery.attempts == 0),
            Delivery.next_attempt_at > now + longest_wait,
        )
        self._session.execute(
            update(Delivery)
            .where(Delivery.status == DeliveryStatus.QUEUED, too_late)
            .values(next_attempt_at=now)
        )
        self._session.execute(
            update(Delivery)
            .where(
                Delivery.status == DeliveryStatus.SENDING,
                Delivery.lease_expires_at > now + 2 * lease,
            )
            .values(lease_expires_at=now + lease)
        )

    def _abandoned(self, now: datetime, but: Sequence[UUID], most: int) -> Sequence[Any]:
        return self._session.execute(_ABANDONED, {"now": now, "ids": list(but), "most": most}).all()

    def _queued(self, now: datetime, among: Sequence[UUID] | None, most: int) -> Sequence[Any]:
        if among is None:
            return self._session.execute(_QUEUED, {"now": now, "most": most}).all()
        asked = {"now": now, "ids": list(among), "most": most}
        return self._session.execute(_QUEUED_AMONG, asked).all()

    def _save(self, rows: Iterable[dict[str, Any]]) -> None:
        if rows := list(rows):
            # One after another in the order of their ids: two processes never lock them crosswise.
            self._session.execute(_SAVE, sorted(rows, key=lambda row: row["row_id"]))
