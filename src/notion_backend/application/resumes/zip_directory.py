"""The central directory of a zip archive (PKWARE APPNOTE 6.3.10, §4.3.12 and §4.3.16), bounded.

The standard library reads a directory of any length, and builds an object for each entry, before
a caller can object; a hundred thousand entries take it half a second. Archives of more than 4 GiB
(Zip64) and on several disks are refused: no résumé is one.
"""

import struct
from dataclasses import dataclass
from typing import IO

MOST_ENTRIES = 5_000
LARGEST_DIRECTORY = 1024 * 1024

_END_SIGNATURE = b"PK\x05\x06"
_END = struct.Struct("<4s2H2H2LH")
_LONGEST_COMMENT = 65_535
_ENTRY_SIGNATURE = b"PK\x01\x02"
_ENTRY = struct.Struct("<4s4xH10xLL3H12x")
_FLAG_ENCRYPTED = 0x1


class UnreadableArchive(Exception):
    """The directory is missing, damaged or larger than the bounds."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """What the directory declares of one entry; sizes in bytes."""

    name: str
    size: int
    compressed_size: int
    encrypted: bool


def read_directory(file: IO[bytes], size: int) -> list[ZipEntry]:
    """Return the entries of an archive of `size` bytes, in the directory's order.

    Raises:
        UnreadableArchive: also for more than 5,000 entries or a directory beyond 1 MiB.
    """
    start, length = _locate(file, size)
    file.seek(start)
    directory = file.read(length)
    entries: list[ZipEntry] = []
    position = 0
    while position < len(directory):
        if len(entries) == MOST_ENTRIES:
            raise UnreadableArchive("too many entries")
        entry, position = _entry_at(directory, position)
        entries.append(entry)
    return entries


def _locate(file: IO[bytes], size: int) -> tuple[int, int]:
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    position = tail.rfind(_END_SIGNATURE, 0, max(0, len(tail) - _END.size + len(_END_SIGNATURE)))
    if position < 0:
        raise UnreadableArchive("no end of central directory")
    _, disk, first_disk, _, _, length, start, _ = _END.unpack_from(tail, position)
    if disk or first_disk or length > LARGEST_DIRECTORY:
        raise UnreadableArchive("a directory out of bounds")
    return start, length


def _entry_at(directory: bytes, position: int) -> tuple[ZipEntry, int]:
    try:
        signature, flags, compressed_size, size, name_length, extra_length, comment_length = (
            _ENTRY.unpack_from(directory, position)
        )
    except struct.error:
        raise UnreadableArchive("a cut entry") from None
    start = position + _ENTRY.size
    end = start + name_length
    following = end + extra_length + comment_length
    if signature != _ENTRY_SIGNATURE or following > len(directory):
        raise UnreadableArchive("a wrong entry")
    name = directory[start:end].decode("utf-8", errors="replace")
    return ZipEntry(name, size, compressed_size, bool(flags & _FLAG_ENCRYPTED)), following
