import io
import struct
import zipfile
from pathlib import Path

import pytest

from notion_backend.application.resumes.resume_files import identify
from notion_backend.application.resumes.resume_kinds import ResumeKind
from notion_backend.core.errors import InvalidInput

RESUMES = Path(__file__).parents[1] / "fixtures" / "resumes"


MEBIBYTE = 1024 * 1024


PDF_START = b"%PDF-1.7\n"


DOCX_PARTS = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")


def kind_of(filename: str, content: bytes) -> ResumeKind:
    file = io.BytesIO(content)
    kind = identify(filename, file, len(content))
    assert file.tell() == 0
    return kind


def media_type_of(filename: str, content: bytes) -> str:
    return kind_of(filename, content).media_type


def flags_of(filename: str, content: bytes) -> list[str]:
    return [flag.code for flag in kind_of(filename, content).flags]


def assert_refused(filename: str, content: bytes, code: str = "resume_type") -> None:
    with pytest.raises(InvalidInput) as refusal:
        kind_of(filename, content)
    assert refusal.value.reason == code
    assert [(error.field, error.code) for error in refusal.value.errors] == [("resume", code)]
    assert refusal.value.detail


def archive(*names: str, content: bytes = b"<xml/>", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return target.getvalue()


def compound_file(*members: tuple[str, int, int], looped: bool = False) -> bytes:
    """Build a compound file of (name, kind, parent) entries; entry 0 is the root."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    rows = [("Root Entry", 5, -1), *members]
    per_sector = 4
    sectors = -(-len(rows) // per_sector)
    table = [0xFFFFFFFD, *range(2, sectors + 1), 1 if looped else end]
    table += [free] * (128 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    directory = b""
    for number, (name, kind, parent) in enumerate(rows):
        encoded = name.encode("utf-16-le")
        children = [n for n, row in enumerate(rows) if row[2] == number]
        siblings = [n for n, row in enumerate(rows) if row[2] == parent and n > number]
        child = children[0] if children else free
        right = siblings[0] if siblings and number else free
        directory += encoded.ljust(64, b"\0")
        directory += struct.pack("<HBBIII", len(encoded) + 2, kind, 1, free, right, child)
        directory += bytes(36) + struct.pack("<IQ", 0, 0)
    return header + struct.pack("<128I", *table) + directory.ljust(sectors * 512, b"\0")


def patched(content: bytes, position: int, value: bytes) -> bytes:
    return content[:position] + value + content[position + len(value) :]
