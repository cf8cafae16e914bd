"""Mail as files, for an installation that has no SMTP server."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from uuid import UUID

from notion_backend.mail.messages import Message
from notion_backend.mail.sender import LeaseLost, MailOutage

_ID_LENGTH = 36
"""Of a UUID written with hyphens, with which every name ends."""


class FileSender:
    """A `Sender` that puts each message into `folder` as an .eml file that mail programs open.

    A file is there whole or not at all, on stable storage, readable by its owner alone. The same
    message sent again replaces its file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message, may_finish: Callable[[], bool]) -> str:
        """Write `message` to its file; see `Sender`. Every disk error is a MailOutage."""
        created = message.created_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        file = self._folder / f"{created}-{message.kind}-{message.id}.eml"
        partial = file.with_suffix(".tmp")
        with _disk_errors(file.name):
            self._make_folder()
            _write(partial, message.data)
        if not may_finish():
            partial.unlink(missing_ok=True)
            raise LeaseLost("broken off before the file had its name")
        with _disk_errors(file.name):
            partial.replace(file)
            _sync(self._folder)
        return f"written to {file.name}"

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def erase(self, ids: Iterable[UUID]) -> None:
        """Delete what was written of these mails, unfinished files too.

        Raises:
            OSError: a file cannot be deleted.
        """
        wanted = {str(one) for one in ids}
        if not wanted or not self._folder.is_dir():
            return
        for file in self._folder.iterdir():
            if file.stem[-_ID_LENGTH:] in wanted:
                file.unlink(missing_ok=True)
        _sync(self._folder)

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self._folder.parent)


@contextmanager
def _disk_errors(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MailOutage("data", f"cannot write {name}: {error.strerror}") from error


def _write(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
