"""Who uses an SQLite database: many processes at once, or a restore alone.

The lock is an advisory one (`flock`) on a file beside the database. The system frees it when its
holder dies, so nothing is ever left locked.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from notion_backend.core.errors import ConfigurationError, Conflict
from notion_backend.data.sqlite import is_safe_for_many_processes

_held: set[Path] = set()


def sqlite_file(database_url: str) -> Path | None:
    """Return the file of an SQLite database; None for a database server."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database).absolute()


@contextmanager
def using(database_url: str) -> Iterator[None]:
    """Use the database together with others, so that it is not replaced meanwhile.

    An SQLite that can corrupt a database which two processes write lets one in at a time. A
    process may enter again while it is inside; on a database server there is nothing to lock.

    Raises:
        ConfigurationError: it is being restored, or another process has it and SQLite is too old.
    """
    file = sqlite_file(database_url)
    if file is None or file in _held:
        yield
        return
    shared = is_safe_for_many_processes()
    with _locked(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX) as taken:
        if not taken:
            raise ConfigurationError(
                "The database is being restored; start again when that is done."
                if shared
                else "Another process uses the database, and SQLite before 3.51.3 can corrupt it "
                "when two do; stop the other one, or install pysqlite3."
            )
        _held.add(file)
        try:
            yield
        finally:
            _held.discard(file)


@contextmanager
def replacing(file: Path) -> Iterator[None]:
    """Have the database `file` alone, to put another in its place.

    Raises:
        Conflict: somebody uses it.
    """
    with _locked(file, fcntl.LOCK_EX) as taken:
        if not taken:
            raise Conflict(f"{file} is in use; stop `serve` and `worker` first.")
        yield


@contextmanager
def _locked(file: Path, how: int) -> Iterator[bool]:
    lock_file = file.with_name(f"{file.name}.lock")
    lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
