"""What a file may be called: rows 21 to 24."""

import json
from urllib.parse import unquote

import pytest

from tests.hostile.console import signed_in
from tests.hostile.target import Target


def name_in_download(target: Target, lead_id: int) -> str:
    """Read the file's name as a browser does (RFC 6266 §4.3)."""
    header = target.api("GET", f"/leads/{lead_id}/resume").headers["content-disposition"]
    assert header.startswith("attachment; ")
    assert not set("\r\n\0") & set(header)
    plain, starred = header.partition("filename=")[2], header.partition("filename*=UTF-8''")[2]
    return unquote(starred) if starred else plain.strip('"')


# Row 21
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/cron.d/x.pdf", "x.pdf"),
        (r"..\..\x.pdf", "x.pdf"),
        ("/abs/x.pdf", "x.pdf"),
        (r"C:\x.pdf", "x.pdf"),
        ("C:x.pdf", "x.pdf"),
        (r"\\server\share\x.pdf", "x.pdf"),
        (r"a/..\x.pdf", "x.pdf"),
        ("%2e%2e%2fx.pdf", "%2e%2e%2fx.pdf"),
        ("..pdf.pdf", "..pdf.pdf"),
        ("CON.pdf", "CON.pdf"),
    ],
)
def test_a_path_in_a_file_name_is_cut_off(target: Target, sent: str, shown: str) -> None:
    lead = target.accepted(sent)
    assert lead["resume"]["filename"] == shown
    assert name_in_download(target, lead["id"]) == shown
    outside = [file for file in target.service.data_dir.rglob("*") if "x.pdf" in file.name]
    assert outside == []


# Row 22
@pytest.mark.parametrize(
    "sent",
    [
        b"a\r\nX-Injected: yes\r\n\r\n.pdf",
        b"a%0d%0aX-Injected: yes.pdf",
        b"a\x00.pdf",
        b'a\\"b.pdf',
        b"a;b.pdf",
        b"a; filename=evil.pdf",
        b"a'b.pdf",
        b"a\x7f.pdf",
        b"a\xc2\x85b.pdf",
        b"a\xe2\x80\xa8b.pdf",
        b"\xff\xfe.pdf",
        "😀 ünï ☕.pdf".encode(),
        b"a\\.pdf",
        b"100%.pdf",
    ],
)
def test_a_file_name_stays_one_header_line(target: Target, sent: bytes) -> None:
    answer = target.submit(sent)
    assert answer.status in (201, 400, 422)
    if answer.status == 201:
        lead = target.api("GET", "/leads").json()["items"][0]
        assert lead["reference"] == json.loads(answer.body)["reference"]
        assert name_in_download(target, lead["id"]) == lead["resume"]["filename"]
        download = target.api("GET", f"/leads/{lead['id']}/resume")
        assert "x-injected" not in download.headers


# Row 22
@pytest.mark.parametrize("sent", [b"a\x00.pdf", b"a\x7f.pdf", b"a\x1b[2J.pdf", b"a\xc2\x85b.pdf"])
def test_a_control_character_in_a_file_name_is_refused(target: Target, sent: bytes) -> None:
    with target.storing_nothing():
        assert target.submit(sent).status in (400, 422)


# Row 23
def test_a_file_name_is_shown_as_it_is_read(target: Target) -> None:
    lead = target.accepted("resume\u202efdp.exe.pdf\u2066")
    assert lead["resume"]["filename"] == "resumefdp.exe.pdf"


# Row 23
@pytest.mark.parametrize(
    "sent",
    [
        "resume\u202efdp.exe",
        "x" * 5000 + ".pdf",
        "x" * 252 + ".pdf",
        ".",
        "..",
        "",
        " ",
        "...",
        "\u202e",
        "/",
        ".pdf/",
        "pdf",
        "a.pdf.",
        "a.pdf\u200b.exe",
    ],
)
def test_a_file_name_against_the_rules_is_refused(target: Target, sent: str) -> None:
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.submit(sent)
    assert answer.status == 422
    assert {error["field"] for error in json.loads(answer.body)["errors"]} == {"resume"}


# Row 23
def test_the_longest_file_name_is_taken_whole(target: Target) -> None:
    name = "ü" * 251 + ".pdf"
    lead = target.accepted(name)
    assert lead["resume"]["filename"] == name
    assert name_in_download(target, lead["id"]) == name


# Row 24
def test_markup_in_a_file_name_is_only_text(target: Target) -> None:
    name = r"\"><img src=x onerror=alert(1)>.pdf"
    lead = target.accepted(name, email="markup-file@example.com")
    assert lead["resume"]["filename"] == '"><img src=x onerror=alert(1)>.pdf'
    with signed_in(target) as client:
        page = client.get(f"/console/leads/{lead['id']}")
    assert "<img" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;.pdf" in page.text
    mails = target.new_mails()
    assert any(lead["resume"]["filename"] in text for text, _ in mails)
    assert not any("<img" in html for _, html in mails)
