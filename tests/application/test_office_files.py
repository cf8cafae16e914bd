import io
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable

import pytest

from notion_backend.application.resumes.resume_kinds import DOCX, ODT, ResumeKind
from tests.application.resumes import (
    DOCX_PARTS,
    MEBIBYTE,
    RESUMES,
    archive,
    assert_refused,
    flags_of,
    kind_of,
    media_type_of,
)


def directory_entry(name: bytes, size: int = 1, compressed_size: int = 0, flags: int = 0) -> bytes:
    return (
        struct.pack(
            "<4s2xxxHH4x4xLLHHH12x", b"PK\x01\x02", flags, 8, compressed_size, size, len(name), 0, 0
        )
        + name
    )


def declared_archive(entries: Iterable[bytes], comment: bytes = b"", padding: bytes = b"") -> bytes:
    start = b"PK\x03\x04" + bytes(26) + padding
    directory = b"".join(entries)
    count = len(directory) // 46 & 0xFFFF
    end = struct.pack(
        "<4s4xHHLLH", b"PK\x05\x06", count, count, len(directory), len(start), len(comment)
    )
    return start + directory + end + comment


def declared_docx(*more: bytes, padding: bytes = b"") -> bytes:
    parts = [directory_entry(name.encode()) for name in DOCX_PARTS]
    return declared_archive([*parts, *more], padding=padding)


@pytest.mark.parametrize(
    "names",
    [
        ("[Content_Types].xml", "xl/workbook.xml"),
        ("[Content_Types].xml",),
        ("word/document.xml",),
        ("META-INF/MANIFEST.MF", "A.class"),
        ("readme.txt",),
    ],
)
def test_another_archive_is_no_document(names: tuple[str, ...]) -> None:
    assert_refused("cv.docx", archive(*names))


@pytest.mark.parametrize(
    "name",
    ["word/vbaProject.bin", "word/VBAPROJECT.BIN", "vbaProject.bin", "word\\vbaData.xml"],
)
def test_a_document_with_macros_is_refused(name: str) -> None:
    assert_refused("cv.docx", archive(*DOCX_PARTS, name))


@pytest.mark.parametrize(
    "name",
    ["../../x", "word/../../x", "/etc/cron.d/x", "..\\x", "\\x", "C:\\x", "c:x", "a/.."],
)
def test_an_archive_with_a_name_that_leaves_it_is_refused(name: str) -> None:
    assert_refused("cv.docx", declared_docx(directory_entry(name.encode())))


def test_nothing_of_an_archive_is_inflated() -> None:
    content = bytearray(archive(*DOCX_PARTS, content=b"<!ENTITY x SYSTEM 'file:///x'>" * 99))
    for part in DOCX_PARTS:
        start = content.index(part.encode()) + len(part)
        content[start : start + 8] = b"\xff" * 8
    with zipfile.ZipFile(io.BytesIO(content)) as damaged, pytest.raises(zlib.error):
        damaged.read("word/document.xml")
    assert media_type_of("cv.docx", bytes(content)) == DOCX


@pytest.mark.parametrize(
    "entries",
    [
        [directory_entry(b"word/media/bomb", size=5 * 1000**3 & 0xFFFFFFFF, compressed_size=10)],
        [directory_entry(b"word/media/%d" % number, size=2**30) for number in range(5)],
        [directory_entry(b"word/media/zeros", size=100 * MEBIBYTE)],
        [directory_entry(b"word/media/overlap", compressed_size=MEBIBYTE)],
        [directory_entry(b"word/embeddings/inner.zip")],
        [directory_entry(b"locked", flags=1)],
        [directory_entry(b"x%d" % number) for number in range(4_998)],
        [directory_entry(b"x" * 60_000 + b"%d" % number) for number in range(20)],
        [directory_entry(b"cut") + directory_entry(b"in the middle")[:50]],
        [directory_entry(b"cut in its name")[:-1]],
        [directory_entry(b"unsigned").replace(b"PK", b"KP")],
        [directory_entry(b"%05d" % number) for number in range(100_000)],
    ],
)
def test_a_bomb_is_refused_from_the_directory_alone(entries: list[bytes]) -> None:
    content = declared_docx(*entries)
    started = time.process_time()
    assert_refused("cv.docx", content)
    assert time.process_time() - started < 0.6


def test_a_large_archive_may_not_declare_much_more_than_a_machine_holds() -> None:
    entries = [directory_entry(b"word/media/a", size=501 * MEBIBYTE)]
    padding = bytes(6 * MEBIBYTE)
    assert_refused("cv.docx", declared_docx(*entries, padding=padding))
    entries = [directory_entry(b"word/media/a", size=499 * MEBIBYTE)]
    assert media_type_of("cv.docx", declared_docx(*entries, padding=padding)) == DOCX


def test_an_archive_on_several_disks_is_refused() -> None:
    content = bytearray(declared_docx())
    content[-18] = 1
    assert_refused("cv.docx", bytes(content))


def test_a_document_within_the_bounds_is_accepted() -> None:
    many = [directory_entry(b"x%d" % number) for number in range(4_997)]
    assert media_type_of("cv.docx", declared_docx(*many)) == DOCX
    picture = directory_entry(b"word/media/a.bmp", size=19 * MEBIBYTE)
    assert media_type_of("cv.docx", declared_docx(picture)) == DOCX
    assert media_type_of("cv.docx", archive(*DOCX_PARTS[:2], "word\\document2.xml")) == DOCX
    parts = [directory_entry(name.encode()) for name in DOCX_PARTS]
    assert media_type_of("cv.docx", declared_archive(parts, comment=b"a comment")) == DOCX


@pytest.mark.parametrize("cut", [10, 30, 100, 2_000, 5_000])
def test_a_damaged_document_is_refused(cut: int) -> None:
    for name in ("resume.docx", "resume.odt"):
        assert_refused(name, (RESUMES / name).read_bytes()[:-cut])
    assert_refused("cv.docx", b"PK\x03\x04" + bytes(cut))


def odt(*names: str, mimetype: str = ODT, method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr(zipfile.ZipInfo("mimetype"), mimetype, compress_type=method)
        for name in names:
            made.writestr(name, b"<xml/>")
    return target.getvalue()


def test_an_odt_tells_its_type_in_a_first_entry_that_is_stored() -> None:
    assert kind_of("cv.odt", odt("content.xml")) == ResumeKind(ODT)
    assert_refused("cv.odt", odt("content.xml", mimetype=f"{ODT}-template"))
    assert_refused("cv.odt", odt("content.xml", mimetype=ODT[:-1]))
    assert_refused("cv.odt", odt("content.xml", mimetype="application/epub+zip"))
    assert_refused("cv.odt", odt("content.xml", method=zipfile.ZIP_DEFLATED))
    assert_refused("cv.odt", odt("other.xml"))
    assert_refused("cv.odt", archive("content.xml", "mimetype", content=ODT.encode(), method=0))


def test_an_odt_with_scripts_or_in_an_encrypted_package_is_flagged() -> None:
    scripted = odt("content.xml", "Basic/Standard/Module1.xml")
    assert flags_of("cv.odt", scripted) == ["resume_active_content"]
    assert flags_of("cv.odt", odt("encrypted-package")) == ["resume_encrypted"]
