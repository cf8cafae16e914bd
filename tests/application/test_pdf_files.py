import pytest

from notion_backend.application.resumes.resume_kinds import PDF, ResumeKind
from tests.application.resumes import MEBIBYTE, PDF_START, assert_refused, flags_of, kind_of


@pytest.mark.parametrize("before", [0, 1, 1019])
def test_a_pdf_header_may_stand_within_the_first_1024_bytes(before: int) -> None:
    assert kind_of("cv.pdf", b"\x00" * before + b"%PDF-1.4\n\x80") == ResumeKind(PDF)


def test_a_pdf_header_further_on_is_not_found() -> None:
    assert_refused("cv.pdf", b"\x00" * 1020 + b"%PDF-1.4\n\x80")


@pytest.mark.parametrize(
    "content",
    [
        b"<< /S /JavaScript /JS (app.alert(1)) >>",
        b"<</JS(app.alert(1))>>",
        b"/JS",
        b"/S/Launch/F(cmd.exe)",
        b"/OpenAction << /S /URI >>",
        b"/OpenAction 5 0 R",
        b"/Type /EmbeddedFile",
        b"/Names << /EmbeddedFiles 3 0 R >>",
        b"/S /J#61vaScript",
        b"/S /#4a#61#76#61#53#63#72#69#70#74",
    ],
)
@pytest.mark.parametrize("before", [0, MEBIBYTE - 15, 3 * MEBIBYTE])
def test_active_content_of_a_pdf_is_flagged(content: bytes, before: int) -> None:
    pdf = PDF_START + b"\x00" * before + content
    assert flags_of("cv.pdf", pdf) == ["resume_active_content"]


@pytest.mark.parametrize(
    "content",
    [
        b"/OpenAction[1 0 R /XYZ null null 0]",
        b"/OpenAction \r\n [1 0 R /Fit]",
        b"/JSON /JavaScripted /LaunchPad",
        b"JavaScript /BaseFont/Times#20New#20Roman",
        b"/EncryptMetadata false",
    ],
)
def test_names_that_do_nothing_in_a_pdf_are_not_flagged(content: bytes) -> None:
    assert flags_of("cv.pdf", PDF_START + content) == []


def test_an_encrypted_pdf_with_an_action_carries_both_flags() -> None:
    pdf = PDF_START + b"trailer << /Encrypt 4 0 R /JS 5 0 R >>"
    assert flags_of("cv.pdf", pdf) == ["resume_encrypted", "resume_active_content"]


@pytest.mark.parametrize(
    "content",
    [
        b"xref\n0 1\ntrailer << /Size 1000000000 /Prev 9 >>\nstartxref\n9\n%%EOF",
        b"1 0 obj << /Type /Outlines /First 1 0 R /Next 1 0 R >> endobj",
    ],
)
def test_a_pdf_that_would_trap_a_parser_is_not_parsed(content: bytes) -> None:
    assert kind_of("cv.pdf", PDF_START + content) == ResumeKind(PDF)
