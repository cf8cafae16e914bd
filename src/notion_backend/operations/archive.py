"""The archive of a backup: a plain tar of a manifest, the database, and the kept secret key.

The manifest comes first and names each other member with its size and SHA-256. Members are found
by their exact names and never unpacked by path.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from notion_backend.core.errors import InvalidInput

MANIFEST = "manifest.json"
DATABASE = "notion.db"
SECRET_KEY = "secret_key"  # noqa: S105 - the name of a file
FORMAT = 1
_LONGEST_MANIFEST = 1024 * 1024
_PIECE = 1024 * 1024

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call."""


class Member(BaseModel):
    """A file in the archive: its size in bytes, its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True, strict=True)

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds, and how to tell that all of it is there."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    version: str
    """The version of Notion Backend that made it."""
    created_at: datetime
    schema_revision: str
    rows: Mapping[str, int]
    members: Mapping[str, Member]


def measure(file: Path) -> Member:
    """Return size and hash of a file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
        return Member(size=content.tell(), sha256=digest.hexdigest())


def write_archive(
    target: Path, manifest: Manifest, files: Mapping[str, Path], progress: Progress
) -> None:
    """Write the archive beside its name, put it on stable storage, then give it its name."""
    draft = target.with_name(f"{target.name}.part")
    try:
        with draft.open("wb") as output:
            draft.chmod(0o600)
            with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
                head = manifest.model_dump_json(indent=1).encode()
                archive.addfile(_entry(MANIFEST, len(head)), io.BytesIO(head))
                for name, file in files.items():
                    with file.open("rb") as content:
                        entry = _entry(name, manifest.members[name].size)
                        archive.addfile(entry, _Counted(content, progress))
            output.flush()
            os.fsync(output.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def read_manifest(archive: tarfile.TarFile) -> Manifest:
    """Return the manifest of an opened archive.

    Raises:
        InvalidInput: it is not a backup, or one of a later format.
    """
    first = archive.next()
    content = archive.extractfile(first) if first and first.name == MANIFEST else None
    if content is None:
        raise InvalidInput("This is no backup of Notion Backend: it has no manifest.")
    try:
        manifest = Manifest.model_validate_json(content.read(_LONGEST_MANIFEST))
    except ValidationError:
        raise InvalidInput("The manifest of this backup cannot be read; use another one.") from None
    if manifest.format != FORMAT or DATABASE not in manifest.members:
        raise InvalidInput("This backup has a format that this version does not know.")
    return manifest


def copy_members(
    archive: tarfile.TarFile, manifest: Manifest, files: Mapping[str, Path], progress: Progress
) -> None:
    """Copy each member of the manifest to its file, and prove it equal.

    Raises:
        InvalidInput: a member is missing, is there twice, was changed, or was never listed.
    """
    missing = set(manifest.members)
    while (found := archive.next()) is not None:
        if found.name not in missing or found.name not in files or not found.isreg():
            raise InvalidInput(f"The backup is damaged: {found.name!r} does not belong in it.")
        missing.discard(found.name)
        content = archive.extractfile(found)
        if content is None or found.size != manifest.members[found.name].size:
            raise InvalidInput(f"The backup is damaged: {found.name} has the wrong size.")
        if _copy(content, files[found.name], progress) != manifest.members[found.name].sha256:
            raise InvalidInput(f"The backup is damaged: {found.name} is not what was saved.")
    if missing:
        raise InvalidInput(f"The backup is damaged: {', '.join(sorted(missing))} is missing.")


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on stable storage."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, content: IO[bytes], progress: Progress) -> None:
        self._content = content
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        piece = self._content.read(size)
        self._progress(len(piece))
        return piece


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _copy(content: IO[bytes], file: Path, progress: Progress) -> str:
    """Write a member to stable storage and return the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with file.open("xb") as output:
        while piece := content.read(_PIECE):
            output.write(piece)
            digest.update(piece)
            progress(len(piece))
        output.flush()
        os.fsync(output.fileno())
    return digest.hexdigest()
