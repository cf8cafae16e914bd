import struct

import pytest

from notion_backend.application.resumes.resume_kinds import DOC, DOCX, ResumeKind
from tests.application.resumes import (
    assert_refused,
    compound_file,
    flags_of,
    kind_of,
    media_type_of,
    patched,
)


def with_its_table_cut(content: bytes) -> bytes:
    header, table, directory = content[:512], content[512:1024], content[1024:]
    swapped = patched(patched(header, 48, b"\0\0\0\0"), 76, b"\1\0\0\0")
    return swapped + directory + table[:100]


def test_a_compound_file_is_judged_by_the_streams_under_its_root() -> None:
    assert kind_of("cv.doc", compound_file(("WordDocument", 2, 0))) == ResumeKind(DOC)
    macros = compound_file(("Macros", 1, 0), ("Other", 2, 0), ("WordDocument", 2, 0))
    assert flags_of("cv.doc", macros) == ["resume_active_content"]
    encrypted = compound_file(("EncryptionInfo", 2, 0), ("EncryptedPackage", 2, 0))
    assert media_type_of("cv.docx", encrypted) == DOCX
    assert flags_of("cv.docx", encrypted) == ["resume_encrypted"]


@pytest.mark.parametrize(
    "content",
    [
        compound_file(("Workbook", 2, 0)),
        compound_file(("Workbook", 2, 0), ("MBD001", 1, 0), ("WordDocument", 2, 2)),
        compound_file(("WordDocument", 1, 0)),
        compound_file(("EncryptedPackage", 2, 0)),
        compound_file(),
        compound_file(("WordDocument", 2, 0), looped=True),
        compound_file(("WordDocument", 2, 0))[:1024],
        compound_file(("WordDocument", 2, 0))[:600],
        patched(compound_file(("WordDocument", 2, 0)), 26, b"\x05\x00"),
        patched(compound_file(("WordDocument", 2, 0)), 1024 + 128 + 116, b"\xff\xff\xff\x7f"),
        with_its_table_cut(compound_file(("WordDocument", 2, 0))),
        patched(compound_file(("WordDocument", 2, 0)), 28, b"\xff\xfe"),
        patched(compound_file(("WordDocument", 2, 0)), 1024 + 66, b"\x01"),
        patched(compound_file(("Workbook", 2, 0)), 1024 + 128 + 72, b"\x01\x00\x00\x00"),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"WordDocument".ljust(4096, b"\xff"),
    ],
)
def test_another_or_a_damaged_compound_file_is_refused(content: bytes) -> None:
    assert_refused("cv.doc", content)


def test_a_directory_far_into_a_large_compound_file_is_found() -> None:
    small = bytearray(compound_file(("WordDocument", 2, 0)))
    far = 109 * 128 + 7
    difat, fat = 2, 3
    content = small.ljust((far + 1) * 512, b"\0") + small[1024:1536]
    struct.pack_into("<I", content, 48, far)
    struct.pack_into("<II", content, 68, difat, 1)
    content[(difat + 1) * 512 : (difat + 2) * 512] = struct.pack("<I", fat).ljust(512, b"\xff")
    struct.pack_into("<128I", content, (fat + 1) * 512, *[0xFFFFFFFE] * 128)
    assert media_type_of("cv.doc", bytes(content)) == DOC
