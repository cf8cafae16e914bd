"""One use case, one unit of work, one visible commit."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from notion_backend.core.errors import is_down
from notion_backend.data.database_errors import translate
from notion_backend.data.engine import reading
from notion_backend.data.repositories.deliveries import DeliveryRepository
from notion_backend.data.repositories.events import EventRepository
from notion_backend.data.repositories.idempotency import IdempotencyRepository
from notion_backend.data.repositories.leads import LeadRepository
from notion_backend.data.repositories.leases import LeaseRepository
from notion_backend.data.repositories.resumes import ResumeRepository
from notion_backend.data.repositories.sessions import SessionRepository
from notion_backend.data.repositories.statistics import StatisticsRepository
from notion_backend.data.repositories.users import UserRepository
from notion_backend.data.repositories.workers import WorkerRepository
from notion_backend.data.sqlite import BUSY_TIMEOUT_MS, purge_deleted_bytes
from notion_backend.data.turns import Turns


@dataclass(slots=True)
class LastWrite:
    """Whether the database could not store what was last written."""

    failed: bool = False


class UnitOfWork:
    """A transaction and its repositories.

    Leaving the block without `commit()` discards everything. What was read stays readable
    afterwards. Errors of the database leave the block as business errors.
    """

    def __init__(
        self,
        session: Session,
        turns: Turns | None = None,
        last_write: LastWrite | None = None,
        *,
        urgent: bool = False,
    ) -> None:
        self._session = session
        self._urgent = urgent
        self._turns = turns
        self._last_write = last_write
        self.leads = LeadRepository(session)
        self.resumes = ResumeRepository(session)
        self.users = UserRepository(session)
        self.sessions = SessionRepository(session)
        self.deliveries = DeliveryRepository(session)
        self.leases = LeaseRepository(session)
        self.events = EventRepository(session)
        self.idempotency = IdempotencyRepository(session)
        self.workers = WorkerRepository(session)
        self.statistics = StatisticsRepository(session)

    def __enter__(self) -> Self:
        if self._turns is not None:
            self._turns.take(urgent=self._urgent)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not rollback(): it would expire what the caller has read and still wants to show.
        try:
            self._session.close()
        finally:
            if self._turns is not None:
                self._turns.end()
        if isinstance(error, SQLAlchemyError) and (meaning := translate(error)):
            if self._last_write is not None and is_down(meaning):
                self._last_write.failed = True
            raise meaning from error

    def flush(self) -> None:
        """Send what was added, so that the database has given it its numbers."""
        self._session.flush()

    def is_answering(self) -> bool:
        """Ask the database for the simplest thing there is."""
        return self._session.scalar(select(1)) == 1

    def touch(self) -> None:
        """Write what is there already, so that a commit has something to store."""
        self._session.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def commit(self) -> None:
        """Put everything on stable storage; once this returns it survives a power cut."""
        self._session.commit()
        if self._last_write is not None:
            self._last_write.failed = False


class Database:
    """Where units of work come from.

    On SQLite the writers of a process take turns, and `writing()` takes the write lock at its first
    statement; `reading()` never does.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writers = sessionmaker(engine, expire_on_commit=False)
        self._readers = sessionmaker(reading(engine), autoflush=False)
        self._last_write = LastWrite()
        self._turns = Turns(BUSY_TIMEOUT_MS / 1000) if engine.dialect.name == "sqlite" else None

    def writing(self, *, urgent: bool = False) -> UnitOfWork:
        """Begin a unit of work that may change things.

        Args:
            urgent: before other writers, where they take turns. For what is short and must not be
                forgotten.
        """
        return UnitOfWork(self._writers(), self._turns, self._last_write, urgent=urgent)

    def reading(self) -> UnitOfWork:
        """Begin a unit of work that only reads, without a transaction around it."""
        return UnitOfWork(self._readers())

    def check_that_it_stores(self) -> None:
        """Where the last write failed, write again and see; otherwise that write is the answer.

        Raises:
            Unavailable: it still cannot store anything.
        """
        if self._last_write.failed:
            with self.writing() as work:
                work.touch()
                work.commit()

    def purge_deleted_bytes(self) -> None:
        """Remove what was erased from the files too, where the database does not by itself.

        Raises:
            Unavailable: a long-running reader still holds those bytes.
        """
        purge_deleted_bytes(self.engine)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
