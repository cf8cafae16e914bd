import io
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.resumes.resume_files import identify
from notion_backend.application.resumes.resume_kinds import DOC, DOCX, ODT, PDF, RTF, TXT
from notion_backend.core.errors import InvalidInput
from tests.application.resumes import (
    MEBIBYTE,
    PDF_START,
    RESUMES,
    archive,
    assert_refused,
    compound_file,
    media_type_of,
)


@pytest.mark.parametrize(
    ("name", "media_type", "flags"),
    [
        ("resume.pdf", PDF, []),
        ("resume.doc", DOC, []),
        ("resume.docx", DOCX, []),
        ("resume.odt", ODT, []),
        ("resume.rtf", RTF, []),
        ("resume-utf-8.txt", TXT, []),
        ("resume-utf-16.txt", TXT, []),
        ("resume-windows-1252.txt", TXT, []),
        ("encrypted.pdf", PDF, ["resume_encrypted"]),
        ("encrypted.doc", DOC, ["resume_encrypted"]),
        ("encrypted.docx", DOCX, ["resume_encrypted"]),
    ],
)
def test_a_document_of_a_real_word_processor_is_recognised(
    name: str, media_type: str, flags: list[str]
) -> None:
    with (RESUMES / name).open("rb") as file:
        kind = identify(name, file, (RESUMES / name).stat().st_size)
    assert kind.media_type == media_type
    assert [flag.code for flag in kind.flags] == flags


@pytest.mark.parametrize("extension", ["pdf", "DOC", "Docx", "odt", "rtf"])
def test_the_media_type_follows_the_content_whatever_the_accepted_extension(extension: str) -> None:
    for name, media_type in (("resume.rtf", RTF), ("resume.pdf", PDF), ("resume.docx", DOCX)):
        content = (RESUMES / name).read_bytes()
        assert media_type_of(f"cv.{extension}", content) == media_type
    assert media_type_of(f"cv.{extension}", b"Ada Lovelace, analyst") == TXT


@pytest.mark.parametrize(
    "filename",
    ["a.pdf.exe", "a.pHaR", "a.html", "pdf", "a", "a.", "a.pdf ", "a.\uff50\uff44\uff46", "a.docm"],
)
def test_another_extension_is_refused_whatever_the_content(filename: str) -> None:
    assert_refused(filename, (RESUMES / "resume.pdf").read_bytes())


def test_an_empty_file_is_refused() -> None:
    assert_refused("cv.pdf", b"", "resume_empty")


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00\x03\x00\x00\x00 program",
        b"MZ" + b"A" * 200,
        b"\x7fELF\x02\x01\x01" + bytes(60),
        b"<!DOCTYPE html><html></html>",
        b"<html><body>hi</body></html>",
        b"\xef\xbb\xbf \r\n<script>alert(1)</script>",
        b"\xff\xfe" + "<html></html>".encode("utf-16-le"),
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b'<?xml version="1.0"?><svg/>',
        b"<?php system($_GET['c']); ?>",
        b"hello <?php system($_GET['c']); ?>",
        b"#!/bin/sh\nrm -rf /",
        b"GIF89a/*\x01*/=1;alert(1)",
        b"GIF89a=1;alert(1)",
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        b"\xff\xd8\xff\xe0" + bytes(20),
        b"Rar!\x1a\x07\x00",
        b"\x1f\x8b\x08\x00",
        b"<html>%PDF-1.7\n</html>",
        b"MZ%PDF-1.7\n",
        b"GIF89a%PDF-1.7\n",
    ],
)
@pytest.mark.parametrize("extension", ["pdf", "doc", "docx", "odt", "rtf"])
def test_a_program_page_or_picture_under_a_document_name_is_refused(
    content: bytes, extension: str
) -> None:
    assert_refused(f"cv.{extension}", content)


def test_a_polyglot_is_what_its_first_bytes_say() -> None:
    assert media_type_of("cv.pdf", PDF_START + archive("index.html")) == PDF
    assert media_type_of("cv.pdf", PDF_START + b"<html><script>alert(1)</script>") == PDF
    assert_refused("cv.pdf", archive("x", content=PDF_START, method=zipfile.ZIP_STORED))


def outcome_of(filename: str, content: bytes) -> str:
    try:
        return media_type_of(filename, content)
    except InvalidInput as refusal:
        return refusal.reason


REFUSALS = ("resume_type", "resume_empty")


SIGNATURES = [
    b"",
    b"%PDF-",
    b"{\\rtf",
    b"PK\x03\x04",
    b"\xff\xfe",
    compound_file(("WordDocument", 2, 0))[:600],
]


@given(
    st.sampled_from(["pdf", "doc", "docx", "odt", "rtf", "txt"]),
    st.sampled_from(SIGNATURES),
    st.binary(max_size=600),
)
def test_any_bytes_are_a_resume_or_refused(extension: str, start: bytes, rest: bytes) -> None:
    content = start + rest
    assert outcome_of(f"cv.{extension}", content) in {DOC, DOCX, ODT, PDF, RTF, TXT, *REFUSALS}


@given(
    st.sampled_from(["resume.docx", "resume.odt", "resume.doc", "encrypted.docx"]),
    st.lists(st.tuples(st.integers(0, 14_000), st.integers(0, 255)), max_size=20),
    st.integers(0, 3_000),
)
def test_any_damage_to_a_document_is_survived(
    name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray((RESUMES / name).read_bytes())
    content = content[: len(content) - cut]
    for position, value in changes:
        content[-1 - position % len(content)] = value
        content[position % min(1536, len(content))] = value
    assert outcome_of(name, bytes(content)) in {DOC, DOCX, ODT, *REFUSALS}


@pytest.mark.parametrize(
    ("filename", "piece"),
    [
        ("cv.pdf", b"/"),
        ("cv.pdf", b"#"),
        ("cv.pdf", b"/J#41"),
        ("cv.pdf", b"/OpenAction[ "),
        ("cv.txt", "é日".encode()),
        ("cv.txt", b"a<"),
    ],
)
def test_ten_mebibytes_take_little_time_and_memory(filename: str, piece: bytes) -> None:
    start = PDF_START if filename == "cv.pdf" else b""
    content = (start + piece * (10 * MEBIBYTE // len(piece)))[: 10 * MEBIBYTE]
    file = io.BytesIO(content)
    started = time.process_time()
    identify(filename, file, len(content))
    assert time.process_time() - started < 1.8
    tracemalloc.start()
    try:
        identify(filename, file, len(content))
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()
