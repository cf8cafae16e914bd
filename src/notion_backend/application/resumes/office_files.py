"""DOCX and ODT: zip archives, of which the central directory is read and nothing is inflated."""

import struct
from typing import IO

from notion_backend.application.resumes.resume_kinds import (
    ACTIVE_CONTENT,
    DOCX,
    ENCRYPTED,
    ODT,
    ResumeKind,
    wrong_type,
)
from notion_backend.application.resumes.zip_directory import (
    UnreadableArchive,
    ZipEntry,
    read_directory,
)

SIGNATURE = b"PK\x03\x04"

_HARMLESS_TOTAL = 20 * 1024 * 1024
_LARGEST_TOTAL = 500 * 1024 * 1024
_LARGEST_RATIO = 100
_ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".bz2", ".xz", ".jar")
_MACROS = frozenset({"vbaproject.bin", "vbadata.xml"})

_MIMETYPE_NAME = b"mimetype"


def identify(file: IO[bytes], size: int) -> ResumeKind:
    """Return DOCX or ODT by the names in the archive.

    Raises:
        InvalidInput: `resume_type` for another archive, a bomb, macros, or names that leave it.
    """
    try:
        entries = read_directory(file, size)
    except UnreadableArchive:
        raise wrong_type("This document is damaged. Save it anew.") from None
    names = {entry.name.replace("\\", "/").lower() for entry in entries}
    _refuse_dangerous(entries, names, size)
    if "[content_types].xml" in names and any(_is_main_part(name) for name in names):
        return ResumeKind(DOCX)
    if _declared_mimetype(file) == ODT.encode():
        return _odt(names)
    raise wrong_type()


def _refuse_dangerous(entries: list[ZipEntry], names: set[str], size: int) -> None:
    if any(entry.encrypted for entry in entries):
        raise wrong_type("This archive is locked with a password.")
    if any(_leaves_the_archive(name) or name.endswith(_ARCHIVES) for name in names):
        raise wrong_type()
    if any(name.rpartition("/")[2] in _MACROS for name in names):
        raise wrong_type("This document holds macros. Save it without them.")
    # Overlapping entries tell more bytes than there are (the non-recursive bombs of 2019).
    total = sum(entry.size for entry in entries)
    bomb = total > _HARMLESS_TOTAL and (total > _LARGEST_TOTAL or total > size * _LARGEST_RATIO)
    if bomb or sum(entry.compressed_size for entry in entries) > size:
        raise wrong_type("This document would unpack to far more than its own size.")


def _leaves_the_archive(name: str) -> bool:
    return name.startswith("/") or name[1:2] == ":" or "\0" in name or ".." in name.split("/")


def _is_main_part(name: str) -> bool:
    # Some word processors in a browser write word/document2.xml.
    return name.startswith("word/document") and name.endswith(".xml") and name.count("/") == 1


def _declared_mimetype(file: IO[bytes]) -> bytes:
    """Return what the first entry says, stored as it is (OpenDocument 1.3, part 2, §3.3)."""
    file.seek(0)
    head = file.read(1024)
    name_start = 30
    name_length, extra_length = struct.unpack("<26xHH", head[:name_start].ljust(name_start, b"\0"))
    name = head[name_start : name_start + name_length]
    if name != _MIMETYPE_NAME:
        return b""
    start = name_start + name_length + extra_length
    # The length may follow the data, so the next record's mark ends the value instead.
    return head[start:].partition(b"PK")[0]


def _odt(names: set[str]) -> ResumeKind:
    if "encrypted-package" in names:
        return ResumeKind(ODT, (ENCRYPTED,))
    if "content.xml" not in names:
        raise wrong_type()
    if any(name.startswith(("basic/", "scripts/")) for name in names):
        return ResumeKind(ODT, (ACTIVE_CONTENT,))
    return ResumeKind(ODT)
