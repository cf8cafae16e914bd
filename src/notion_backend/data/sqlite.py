"""SQLite: which build, which pragmas, and how erased bytes leave the files."""

import sqlite3
import time
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, ExceptionContext

from notion_backend.core.errors import Unavailable

try:
    from pysqlite3 import dbapi2 as bundled
except ImportError:  # no wheel for this platform
    bundled = None

driver: ModuleType = bundled or sqlite3
BUSY_TIMEOUT_MS = 5000
_CHECKPOINT_WAIT_MS = 50
_CHECKPOINT_PAUSE_SECONDS = 0.2
_READ_ONLY = 8
"""SQLITE_READONLY, the low byte of its extended codes (sqlite.org/rescode.html)."""
_FIRST_WITHOUT_WAL_RESET_BUG = (3, 51, 3)
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -16384",
)


def prepare_connection(connection: Any, _record: object) -> None:
    """Set what every connection needs; transactions begin only where the engine says so."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def give_up_read_only_connection(context: ExceptionContext) -> None:
    """Let the pool forget a connection that was opened while the file could not be written.

    It stays read-only for as long as it is open, whatever becomes of the file.
    """
    if getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF == _READ_ONLY:
        context.is_disconnect = True


def is_safe_for_many_processes() -> bool:
    """Tell whether this build is free of the WAL-reset bug (3.7.0 to 3.51.2)."""
    return tuple(driver.sqlite_version_info) >= _FIRST_WITHOUT_WAL_RESET_BUG


def purge_deleted_bytes(engine: Engine, patience: float = 10.0) -> None:
    """Move the log into the file and empty it, so that no deleted byte is left in either.

    Freed pages are zeroed by `secure_delete`; the write-ahead log still holds their former content
    until it is truncated, for which every reader must have moved on.

    Args:
        engine: of any database; on others than SQLite nothing is to be done.
        patience: seconds to wait for readers.

    Raises:
        Unavailable: readers held the log for longer.
    """
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + patience
    while True:
        if _truncate_log(engine):
            return
        if time.monotonic() > deadline:
            raise Unavailable(
                "It is erased, but a long-running reader still holds its bytes; "
                "erase it again in a minute to have them removed.",
                retry_after=60,
            )
        time.sleep(_CHECKPOINT_PAUSE_SECONDS)


def _truncate_log(engine: Engine) -> bool:
    """Try once; while a checkpoint waits for readers it keeps every writer out, so not for long."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    except driver.Error as error:
        raw.invalidate()  # its timeout is not the usual one
        raise Unavailable(
            "It is erased, but its bytes cannot be removed now; erase it again in a minute.",
            retry_after=60,
        ) from error
    else:
        return not busy
    finally:
        raw.close()
