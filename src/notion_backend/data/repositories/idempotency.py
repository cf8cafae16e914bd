"""Keys of intake and the lead each made."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import IdempotencyRecord, Lead
from notion_backend.data.rows import IdempotencyRow


class IdempotencyRepository:
    """Reads and writes `idempotency_records`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, keys: Sequence[str]) -> dict[str, tuple[IdempotencyRecord, Lead]]:
        """Return the record and its lead for each key that has been used."""
        if not keys:
            return {}
        rows = self._session.execute(
            select(IdempotencyRecord, Lead)
            .join(Lead, Lead.id == IdempotencyRecord.lead_id)
            .where(IdempotencyRecord.key.in_(keys))
        )
        return {record.key: (record, lead) for record, lead in rows}

    def insert(self, records: Sequence[IdempotencyRow]) -> None:
        """Store these records.

        Raises:
            sqlalchemy.exc.IntegrityError: another transaction stored a key first.
        """
        insert_rows(self._session, IdempotencyRecord, records)

    def forget(self, keys: Sequence[str], *, made_before: datetime) -> None:
        """Delete those of these records that are older than `made_before`."""
        self._session.execute(
            delete(IdempotencyRecord).where(
                IdempotencyRecord.key.in_(keys), IdempotencyRecord.created_at < made_before
            )
        )

    def forget_before(self, moment: datetime) -> None:
        """Delete the records made before `moment`."""
        self._session.execute(
            delete(IdempotencyRecord).where(IdempotencyRecord.created_at < moment)
        )
