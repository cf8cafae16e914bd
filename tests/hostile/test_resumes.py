"""What may be sent as a résumé: rows 45 to 52."""

import json

import pytest

from tests.hostile.forms import PDF, RESUMES
from tests.hostile.resumes import archive, crowded_docx, docx, entry, pdf
from tests.hostile.target import MEBIBYTE, Target

LIMIT = 10 * MEBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


def assert_refused(target: Target, filename: str, content: bytes, code: str) -> None:
    with target.within(cpu_seconds=0.3), target.storing_nothing():
        answer = target.submit(filename, content)
    assert answer.status == (413 if code == "too_large" else 422), answer.text
    assert json.loads(answer.body)["code"] == code


# Row 45
def test_an_empty_file_is_refused(target: Target) -> None:
    assert_refused(target, "resume.pdf", b"", "resume_empty")


# Row 45
def test_a_file_of_the_very_limit_is_taken_and_comes_back(target: Target) -> None:
    content = PDF + bytes(LIMIT - len(PDF))
    with target.within():
        lead = target.accepted("resume.pdf", content)
        download = target.api("GET", f"/leads/{lead['id']}/resume")
    assert download.content == content


# Row 45
def test_a_byte_more_than_the_limit_is_refused(target: Target) -> None:
    assert_refused(target, "resume.pdf", PDF + bytes(LIMIT + 1 - len(PDF)), "too_large")


# The contract: TXT from 1 byte.
def test_a_text_of_one_byte_is_taken(target: Target) -> None:
    assert target.accepted("cv.txt", b"x")["resume"]["size"] == 1


# Row 46
@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("cv.pdf", b"MZ\x90\x00" + bytes(500)),
        ("cv.pdf", b"\x7fELF\x02\x01\x01" + bytes(500)),
        ("cv.pdf", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("cv.pdf", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("cv.pdf", b"<?php system($_GET['c']); ?>"),
        ("cv.pdf", b"#!/bin/sh\nrm -rf /\n"),
        ("cv.pdf", b"\x89PNG\r\n\x1a\n" + bytes(500)),
        ("cv.pdf", b"GIF89a" + bytes(500)),
        ("cv.pdf", b"\x1f\x8b\x08" + bytes(500)),
        ("cv.pdf", b"Rar!\x1a\x07\x01\x00" + bytes(500)),
        ("cv.pdf", bytes(1024) + PDF),
        ("cv.docx", b"MZ" + bytes(500)),
        ("cv.docx", archive(entry("a.txt"))),
        ("cv.docx", archive(entry("META-INF/MANIFEST.MF"), entry("a.class"))),
        ("cv.docx", b"PK\3\4"),
        ("cv.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)),
        ("cv.odt", archive(entry("content.xml"))),
        ("cv.txt", b"MZ\x90\x00\x03"),
        ("cv.txt", b"\x7fELF\x02"),
        ("cv.txt", b"a\x00b"),
        ("cv.txt", b"\xff\xfea"),
        ("cv.pdf.exe", PDF),
        ("cv.pHaR", PDF),
        ("cv.html", PDF),
        ("cv.svg", PDF),
        ("cv.php", PDF),
        ("cv.docm", docx()),
        ("cv.zip", docx()),
        ("cv.pdf.", PDF),
        ("cv.pdf ;.exe", PDF),
        ("cv", PDF),
        ("cvpdf", PDF),
        ("cv.PDF\u0131", PDF),
        ("cv.\uff50\uff44\uff46", PDF),
    ],
)
def test_what_is_no_resume_is_refused(target: Target, filename: str, content: bytes) -> None:
    assert_refused(target, filename, content, "resume_type")


# Row 46
@pytest.mark.parametrize("filename", ["CV.PDF", "cv.Pdf", "cv.exe.pdf", "cv.doc", "cv.txt.pdf"])
def test_an_extension_of_the_list_is_taken_in_any_case(target: Target, filename: str) -> None:
    assert target.accepted(filename, PDF)["resume"]["media_type"] == "application/pdf"


# Row 47
@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("cv.pdf", b"<html><script>alert(1)</script>" + PDF),
        ("cv.pdf", PDF + docx()),
        ("cv.docx", docx() + PDF),
        ("cv.pdf", b"GIF89a=1;alert(1);/*" + PDF),
        ("cv.pdf", b"MZ" + bytes(100) + PDF),
        ("cv.rtf", b"{\\rtf1 <script>alert(1)</script>}"),
        ("cv.txt", b"<script>alert(1)</script> plain text of a person"),
        ("cv.txt", b"GIF89a=1;alert(1)"),
    ],
)
def test_a_file_of_two_kinds_is_never_shown_in_a_browser(
    target: Target, filename: str, content: bytes
) -> None:
    answer = target.submit(filename, content, email="polyglot@example.com")
    assert answer.status in (201, 422)
    if answer.status == 201:
        lead = target.api("GET", "/leads").json()["items"][0]
        headers = target.api("GET", f"/leads/{lead['id']}/resume").headers
        assert headers["content-disposition"].startswith("attachment; ")
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        stored = lead["resume"]["media_type"]
        assert headers["content-type"].partition(";")[0] == stored
        assert stored.startswith(("application/", "text/plain"))


# Row 48
@pytest.mark.parametrize(
    "content",
    [
        docx(entry("word/a.xml", size=GIBIBYTE)),
        docx(*(entry(f"word/{number}.xml", size=GIBIBYTE) for number in range(5))),
        docx(entry("word/a.xml", size=2**32 - 1)),
        docx(entry("word/a.xml", bytes(60 * MEBIBYTE))),
        docx(entry("word/a.zip", docx(entry("a.zip", docx())))),
        docx(entry("../../x")),
        docx(entry("..\\..\\x")),
        docx(entry("/etc/cron.d/x")),
        docx(entry("C:\\x")),
        docx(entry("word/a\0b")),
        crowded_docx(100_000),
        crowded_docx(10_000),
        docx()[:-10],
        docx()[:-22] + b"PK\5\6" + b"\xff" * 18,
        docx()[:200] + bytes(1000),
    ],
    ids=range(15),
)
def test_a_bomb_is_refused_by_its_directory(target: Target, content: bytes) -> None:
    assert_refused(target, "cv.docx", content, "resume_type")


# Row 50
@pytest.mark.parametrize("name", ["word/vbaProject.bin", "WORD/VBAPROJECT.BIN", "word/vbaData.xml"])
def test_macros_under_another_name_are_refused(target: Target, name: str) -> None:
    assert_refused(target, "cv.docx", docx(entry(name)), "resume_type")


# Row 50
@pytest.mark.parametrize("name", ["encrypted.pdf", "encrypted.docx"])
def test_an_encrypted_file_is_taken_and_flagged(target: Target, name: str) -> None:
    content = (RESUMES / name).read_bytes()
    lead = target.accepted(name, content)
    assert lead["flags"]
    assert all(flag["code"] and flag["reason"] for flag in lead["flags"])


# Row 51
@pytest.mark.parametrize(
    "content",
    [
        pdf("<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>"),
        pdf("<< /AA << /O << /S /Launch /F (cmd.exe) >> >> >>"),
        pdf("<< /OpenAction 2 0 R >>", "<< /S /URI /URI (http://evil.example/) >>"),
        pdf("<< /Names << /EmbeddedFiles << /Names [(a) 2 0 R] >> >> >>", "<< /EmbeddedFile >>"),
        pdf("<< /S /J#61vaScript /JS (app.alert(1)) >>"),
    ],
    ids=["JavaScript", "Launch", "OpenAction", "EmbeddedFile", "a name in disguise"],
)
def test_a_pdf_that_acts_is_taken_and_flagged_and_never_inline(
    target: Target, content: bytes
) -> None:
    lead = target.accepted("cv.pdf", content)
    assert lead["flags"]
    headers = target.api("GET", f"/leads/{lead['id']}/resume").headers
    assert headers["content-disposition"].startswith("attachment; ")


# Row 52
@pytest.mark.parametrize(
    "content",
    [
        pdf("<< /Type /Catalog >>", trailer="<< /Size 1000000000 /Prev 9 >>"),
        pdf("<< /Type /Catalog >>", trailer="<< /Prev 0 >>", xref=0),
        pdf("<< /Outlines 1 0 R /First 1 0 R /Next 1 0 R >>"),
        pdf("<< /Pages 1 0 R /Kids [1 0 R 1 0 R] >>"),
        pdf("<< /Length 99999999999 /Filter [" + "/FlateDecode " * 50_000 + "] >>"),
        b"%PDF-1.7\n" + b"<<" * MEBIBYTE,
        b"%PDF-1.7\n" + b"[" * (5 * MEBIBYTE),
        b"%PDF-1.7\n" + b"(" * (5 * MEBIBYTE),
        b"%PDF-1.7\n" + b"/#4a#61" * MEBIBYTE,
        b"%PDF-1.7\n" + b"1 0 obj\n" * MEBIBYTE,
        b"%PDF-" * (2 * MEBIBYTE - 1),
        b"{\\rtf1 " + b"{" * (9 * MEBIBYTE),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * MEBIBYTE,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(MEBIBYTE),
    ],
    ids=range(14),
)
def test_a_file_that_loops_costs_no_time(target: Target, content: bytes) -> None:
    with target.within(cpu_seconds=1.0):
        answer = target.submit("cv.pdf", content)
    assert answer.status in (201, 422)
