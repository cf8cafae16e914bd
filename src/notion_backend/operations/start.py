"""What must be right before a process works: its folder, its database, that database's schema."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from notion_backend.core.config import Settings
from notion_backend.core.errors import ConfigurationError
from notion_backend.data.engine import create_database_engine, weakness
from notion_backend.data.migrate import current_revision, is_current, upgrade
from notion_backend.data.migrations import REVISIONS
from notion_backend.data.unit_of_work import Database
from notion_backend.operations.service_lock import using

SERVER_PATIENCE = 5.0
"""Seconds that a command waits for a database server, which may be starting too."""
SCHEMA_PATIENCE = 60.0
"""Seconds that a worker waits for another process to bring the schema up to date."""
_PAUSE = 0.5

_log = structlog.get_logger(__name__)


def prepare_data_dir(settings: Settings) -> None:
    """Make DATA_DIR for this user alone, and take away what others could do in it.

    Raises:
        ConfigurationError: it cannot be made or is no folder.
    """
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            folder.chmod(0o700)
        for file in folder.iterdir():
            _close_to_others(file)
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR: {folder} cannot be used: {error.strerror}; name a folder you may write to."
        ) from None


def _close_to_others(file: Path) -> None:
    status = file.lstat()
    is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    if is_ours and status.st_mode & 0o077:
        file.chmod(0o600)


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Lend the database, its schema up to date, and keep it from being replaced meanwhile.

    Raises:
        ConfigurationError: it cannot be used; the message says what to do.
    """
    with _connected(settings) as database:
        _with_patience(lambda: _ensure_schema(database.engine, settings), database.engine)
        yield database


@contextmanager
def awaited_database(settings: Settings, patience: float = SCHEMA_PATIENCE) -> Iterator[Database]:
    """Lend the database as soon as another process has brought its schema up to date.

    Raises:
        ConfigurationError: that was not within `patience` seconds.
    """
    with _connected(settings) as database:
        _with_patience(lambda: _check_schema(database.engine), database.engine, patience)
        yield database


def migrate(settings: Settings) -> bool:
    """Bring the schema up to date; tell whether anything was to be done.

    Raises:
        ConfigurationError: the database cannot be used or was made by a newer version.
    """
    with _connected(settings) as database:
        engine = database.engine
        return _with_patience(lambda: _upgrade(engine), engine)


def check_durability(engine: Engine, settings: Settings) -> None:
    """Warn if the database does not sync every commit.

    Raises:
        ConfigurationError: in production.
    """
    if problem := weakness(engine):
        if settings.in_production:
            raise ConfigurationError(f"DATABASE_URL: {problem}")
        _log.warning("database_does_not_sync", problem=problem)


@contextmanager
def _connected(settings: Settings) -> Iterator[Database]:
    engine = create_database_engine(settings.database)
    with using(settings.database):
        database = Database(engine)
        try:
            yield database
        finally:
            database.close()


class _SchemaNotReady(ConfigurationError):
    """Another process may be migrating right now."""


def _ensure_schema(engine: Engine, settings: Settings) -> None:
    if settings.auto_migrate:
        _upgrade(engine)
    elif not is_current(engine):
        raise ConfigurationError(_schema_problem(engine))


def _check_schema(engine: Engine) -> None:
    if not is_current(engine):
        migrates_later = current_revision(engine) in {None, *REVISIONS}
        kind = _SchemaNotReady if migrates_later else ConfigurationError
        raise kind(_schema_problem(engine))


def _schema_problem(engine: Engine) -> str:
    revision = current_revision(engine)
    if revision is None:
        return "The database has no tables yet; run `notion-backend migrate`."
    if revision in REVISIONS:
        return "The database has an old schema; run `notion-backend migrate`."
    return "The database was made by a newer version of Notion Backend; install that version."


def _upgrade(engine: Engine) -> bool:
    if is_current(engine):
        return False
    upgrade(engine)
    _log.info("database_migrated", revision=current_revision(engine))
    return True


def _with_patience(
    action: Callable[[], bool | None], engine: Engine, patience: float = SERVER_PATIENCE
) -> bool:
    """Try until it works; what a server that starts, or a migration, mends is waited for."""
    deadline = time.monotonic() + patience
    waiting = False
    while True:
        try:
            return bool(action())
        except (DBAPIError, _SchemaNotReady) as error:
            reason = _reason(error)
            passes = isinstance(error, _SchemaNotReady) or (
                isinstance(error, OperationalError) and engine.dialect.name != "sqlite"
            )
            if not passes or time.monotonic() > deadline:
                raise ConfigurationError(reason) from error
        if not waiting:
            waiting = True
            _log.warning("waiting_for_database", reason=reason, seconds=patience)
        time.sleep(_PAUSE)


def _reason(error: DBAPIError | _SchemaNotReady) -> str:
    if isinstance(error, _SchemaNotReady):
        return str(error)
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return f"DATABASE_URL: the database cannot be used: {lines[0]}"
