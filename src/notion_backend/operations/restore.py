"""Bring a backup back, or check that it could be."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from notion_backend.core.clock import utcnow
from notion_backend.core.config import Settings
from notion_backend.core.errors import Conflict, InvalidInput
from notion_backend.data.sqlite import driver
from notion_backend.operations.archive import (
    DATABASE,
    SECRET_KEY,
    Manifest,
    Progress,
    copy_members,
    read_manifest,
    sync_folder,
)
from notion_backend.operations.backup import sqlite_file_of
from notion_backend.operations.inspection import Inspection, inspect
from notion_backend.operations.service_lock import replacing


def check(archive: Path, progress: Progress) -> Inspection:
    """Prove that a backup is whole and sound; nothing is kept.

    The database is looked at in the system's temporary folder (`TMPDIR`), which needs room for it.

    Raises:
        InvalidInput: it is not; the message says why.
        OSError: it cannot be read, or there is no room.
    """
    with TemporaryDirectory(prefix="notion-backend-") as folder:
        return _unpack(archive, Path(folder), progress)


def restore(
    settings: Settings, archive: Path, progress: Progress
) -> tuple[Inspection, Path | None]:
    """Put the database of a backup in the place of the present one.

    Everything is checked before anything is changed. The former database stays beside the new one,
    under a name that ends in `.before-restore-` and the time; so does a former secret key.

    Returns:
        What the restored database holds, and where the former one is, if there was one.

    Raises:
        Conflict: the service is running, or the database is on a server.
        InvalidInput: the backup is damaged; nothing was changed.
        OSError: a file cannot be written; the former database is in its place or beside it.
    """
    file = sqlite_file_of(settings)
    with replacing(file), TemporaryDirectory(prefix=".restore-", dir=file.parent) as folder:
        unpacked = Path(folder)
        found = _unpack(archive, unpacked, progress)
        moment = f"{utcnow():%Y%m%dT%H%M%S%fZ}"
        key = unpacked / SECRET_KEY
        if key.is_file() and not settings.secret_key.get_secret_value():
            _replace(settings.data_dir / SECRET_KEY, key, moment)
        _settle(file, moment)
        return found, _replace(file, unpacked / DATABASE, moment)


def _unpack(archive: Path, folder: Path, progress: Progress) -> Inspection:
    with _opened(archive) as members:
        manifest = read_manifest(members)
        files = {name: folder / name for name in (DATABASE, SECRET_KEY)}
        copy_members(members, manifest, files, progress)
    found = inspect(folder / DATABASE)
    _compare(manifest, found)
    return found


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:") as members:
            yield members
    except tarfile.TarError as error:
        raise InvalidInput(f"{archive} is no backup, or only a part of one: {error}.") from error


def _compare(manifest: Manifest, found: Inspection) -> None:
    if (found.revision, found.rows) != (manifest.schema_revision, manifest.rows):
        raise InvalidInput("The backup is damaged: its manifest describes another database.")


def _settle(file: Path, moment: str) -> None:
    """Leave no log beside the former database: SQLite would play it into the new one.

    A sound database takes its log in; beside a damaged one the log is set aside, next to where the
    database itself will be kept.
    """
    try:
        if file.exists():
            connection: Any = driver.connect(str(file), timeout=1)
            try:
                connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            finally:
                connection.close()
    except driver.DatabaseError as error:
        if "locked" in str(error):
            raise Conflict(f"{file} is in use; stop `serve` and `worker` first.") from error
    for suffix in ("-wal", "-shm"):
        log = file.with_name(file.name + suffix)
        if log.exists():
            log.rename(f"{_former(file, moment)}{suffix}")


def _replace(present: Path, new: Path, moment: str) -> Path | None:
    """Put `new` in the place of `present`, at every moment one of the two; keep the former."""
    former = None
    if present.exists():
        former = _former(present, moment)
        os.link(present, former)
    new.replace(present)
    sync_folder(present.parent)
    return former


def _former(present: Path, moment: str) -> Path:
    return present.with_name(f"{present.name}.before-restore-{moment}")
