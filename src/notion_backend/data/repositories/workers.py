"""Signs of life of delivery workers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notion_backend.data.models import WorkerHeartbeat


class WorkerRepository:
    """Reads and writes `worker_heartbeats`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def beat(self, heartbeat: WorkerHeartbeat) -> None:
        """Store this sign of life in place of the worker's last one."""
        self._session.merge(heartbeat)

    def alive_since(self, moment: datetime) -> Sequence[WorkerHeartbeat]:
        """Return the last sign of each worker that was seen since `moment`."""
        return self._session.scalars(
            select(WorkerHeartbeat).where(WorkerHeartbeat.seen_at >= moment)
        ).all()

    def remove(self, worker_id: UUID) -> None:
        """Forget a worker that has stopped."""
        self._session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.id == worker_id))

    def remove_before(self, moment: datetime) -> None:
        """Forget workers that died without a word."""
        self._session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < moment))
