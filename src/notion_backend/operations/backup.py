"""A backup of the embedded database, taken while the service runs and writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from notion_backend import __version__
from notion_backend.core.clock import utcnow
from notion_backend.core.config import Settings
from notion_backend.core.errors import Conflict, InvalidInput, NotFound
from notion_backend.data.sqlite import driver
from notion_backend.operations.archive import (
    DATABASE,
    SECRET_KEY,
    Manifest,
    Progress,
    measure,
    write_archive,
)
from notion_backend.operations.inspection import inspect
from notion_backend.operations.service_lock import sqlite_file, using

_TOOLS = {"postgresql": "pg_dump", "postgres": "pg_dump", "mysql": "mariadb-dump or mysqldump"}


def back_up(settings: Settings, target: Path, progress: Progress) -> Manifest:
    """Write one archive of database and résumés, checked before it gets its name.

    The archive is mode 600: it holds personal data and, where DATA_DIR keeps it, the key that
    signs links in mails, without which those that are under way would lead nowhere. While it is
    made, the target's folder needs room for the database twice.

    Args:
        settings: say where the database and the key are.
        target: replaced if it exists, but only by a complete archive.
        progress: is told how many bytes of the archive have been written.

    Raises:
        Conflict: the database is on a server, whose own tool backs it up, or the target is what is
            to be saved, or a folder.
        NotFound: there is no database yet.
        InvalidInput: the database is damaged.
        OSError: the target cannot be written.
    """
    source = sqlite_file_of(settings)
    if not source.is_file():
        raise NotFound(f"There is no database at {source} yet.")
    kept_key = settings.data_dir / SECRET_KEY
    if any(
        target.exists() and target.samefile(file) for file in (source, kept_key) if file.exists()
    ):
        raise Conflict(f"{target} is what is to be saved; name another file.")
    if target.is_dir():
        raise Conflict(f"{target} is a folder; name a file.")
    with using(settings.database), _copied(source, target) as copy:
        found = inspect(copy)
        files = {DATABASE: copy}
        if not settings.secret_key.get_secret_value() and kept_key.is_file():
            files[SECRET_KEY] = kept_key
        manifest = Manifest(
            version=__version__,
            created_at=utcnow(),
            schema_revision=found.revision,
            rows=found.rows,
            members={name: measure(file) for name, file in files.items()},
        )
        write_archive(target, manifest, files, progress)
    return manifest


def sqlite_file_of(settings: Settings) -> Path:
    """Return the file of the embedded database.

    Raises:
        Conflict: the settings name a database server.
    """
    file = sqlite_file(settings.database)
    if file is None:
        backend = make_url(settings.database).get_backend_name()
        tool = _TOOLS.get(backend, "mariadb-dump")
        raise Conflict(f"This command is for SQLite; use {tool} for the database of DATABASE_URL.")
    return file


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[Path]:
    """Lend a copy of the database as it was at one moment, alone in one file.

    It is read in a single transaction, which in WAL mode keeps no writer waiting.
    """
    copy = target.with_name(f"{target.name}.part.db")
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    try:
        _copy(source, copy)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    reader: Any = driver.connect(str(source))
    writer: Any = driver.connect(str(copy))
    try:
        reader.backup(writer, pages=-1)
        # The copy has no log beside it, and whoever looks at it must not make one.
        writer.execute("PRAGMA journal_mode = DELETE").fetchone()
    except driver.OperationalError:  # no room, or somebody keeps it locked
        raise
    except driver.DatabaseError as error:
        raise InvalidInput(f"The database cannot be read: {error}.") from error
    finally:
        writer.close()
        reader.close()
