"""DOC and encrypted DOCX: OLE compound files, of which the root's directory is read.

The layout is that of MS-CFB, §2.2 (header) and §2.6.1 (directory entry). Chains are followed
sector by sector and no further than a directory of 4,096 entries.
"""

import struct
from dataclasses import dataclass
from typing import IO

from notion_backend.application.resumes.resume_kinds import (
    ACTIVE_CONTENT,
    DOC,
    DOCX,
    ENCRYPTED,
    ResumeKind,
    wrong_type,
)

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER = struct.Struct("<26xHHH16xI16xI")
_HEADER_BYTES = 512
_SECTOR_SHIFTS = {3: 9, 4: 12}
_LITTLE_ENDIAN = 0xFFFE
_LAST_REGULAR_SECTOR = 0xFFFFFFFA
_END_OF_CHAIN = 0xFFFFFFFE
_FAT_SECTORS_IN_HEADER = 109

_ENTRY = struct.Struct("<64sHBxIII36xI8x")
_MOST_ENTRIES = 4_096
_STREAM = 2
_ROOT = 5

_FIB = struct.Struct("<H8xH")
_WORD_97 = 0xA5EC
_FIB_ENCRYPTED = 0x0100


class _Damaged(Exception):
    """A number in the file points nowhere."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int


def identify(file: IO[bytes], size: int) -> ResumeKind:
    """Return DOC, or DOCX for the container of an encrypted one, by the streams under the root.

    Raises:
        InvalidInput: `resume_type` for another or a damaged compound file.
    """
    try:
        sectors = _Sectors(file, size)
        streams = _root_members(_directory(sectors))
        if "EncryptedPackage" in streams and "EncryptionInfo" in streams:
            return ResumeKind(DOCX, (ENCRYPTED,))
        document = streams.get("WordDocument")
        if document is None or document.kind != _STREAM:
            raise wrong_type()
        flags = (
            (ENCRYPTED, _is_encrypted(sectors, document)),
            (ACTIVE_CONTENT, "Macros" in streams),
        )
        return ResumeKind(DOC, tuple(flag for flag, raised in flags if raised))
    except _Damaged:
        raise wrong_type("This document is damaged. Save it anew.") from None


class _Sectors:
    """The numbered sectors of a compound file and the table that chains them (MS-CFB §2.3)."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        file.seek(0)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            raise _Damaged
        version, order, shift, first_of_directory, next_difat = _HEADER.unpack_from(header)
        if order != _LITTLE_ENDIAN or _SECTOR_SHIFTS.get(version) != shift:
            raise _Damaged
        self.bytes: int = 1 << shift
        self.first_of_directory: int = first_of_directory
        self._next_difat: int = next_difat
        self._fat_sectors: list[int] = list(
            struct.unpack_from(f"<{_FAT_SECTORS_IN_HEADER}I", header, 76)
        )
        self._fat: dict[int, tuple[int, ...]] = {}

    def read(self, number: int) -> bytes:
        """Return a sector; the last of a file may be cut short."""
        offset = (number + 1) * self.bytes
        if number > _LAST_REGULAR_SECTOR or offset >= self._size:
            raise _Damaged
        self._file.seek(offset)
        return self._file.read(self.bytes)

    def after(self, number: int) -> int:
        """Return the number of the sector that follows in the chain."""
        index, position = divmod(number, self.bytes // 4)
        if index not in self._fat:
            self._fat[index] = self._numbers(self._fat_sector(index))
        return self._fat[index][position]

    def _fat_sector(self, index: int) -> int:
        # Each hop adds 127 sectors or more, and the file's size bounds `index`.
        while index >= len(self._fat_sectors):
            *more, self._next_difat = self._numbers(self._next_difat)
            self._fat_sectors.extend(more)
        return self._fat_sectors[index]

    def _numbers(self, sector: int) -> tuple[int, ...]:
        content = self.read(sector)
        if len(content) < self.bytes:
            raise _Damaged
        return struct.unpack(f"<{self.bytes // 4}I", content)


def _directory(sectors: _Sectors) -> list[_Entry]:
    entries: list[_Entry] = []
    sector = sectors.first_of_directory
    while sector != _END_OF_CHAIN:
        if len(entries) >= _MOST_ENTRIES:
            raise _Damaged
        content = sectors.read(sector)
        whole = len(content) // _ENTRY.size * _ENTRY.size
        for fields in _ENTRY.iter_unpack(content[:whole]):
            name, length, kind, left, right, child, start = fields
            text = name[: max(0, min(length, 64) - 2)].decode("utf-16-le", errors="replace")
            entries.append(_Entry(text, kind, left, right, child, start))
        sector = sectors.after(sector)
    return entries


def _root_members(entries: list[_Entry]) -> dict[str, _Entry]:
    """Return what stands directly under the root, by walking the tree of its siblings."""
    if not entries or entries[0].kind != _ROOT:
        raise _Damaged
    members: dict[str, _Entry] = {}
    waiting, seen = [entries[0].child], {0}
    while waiting:
        number = waiting.pop()
        if number in seen or number >= len(entries):
            continue
        seen.add(number)
        entry = entries[number]
        members[entry.name] = entry
        waiting += [entry.left, entry.right]
    return members


def _is_encrypted(sectors: _Sectors, document: _Entry) -> bool:
    """Read the flag in the file information block (MS-DOC §2.5.2)."""
    block = sectors.read(document.start)
    identifier, flags = _FIB.unpack_from(block.ljust(_FIB.size, b"\0"))
    return bool(identifier == _WORD_97 and flags & _FIB_ENCRYPTED)
