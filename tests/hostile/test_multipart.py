"""The multipart reader and the form at sign-in: rows 13 to 20, 25 and 26."""

import json

import pytest

from tests.hostile.forms import (
    BOUNDARY,
    PDF,
    chunked,
    file_part,
    form,
    good_form,
    person,
    text_part,
)
from tests.hostile.raw_http import request
from tests.hostile.target import MEBIBYTE, Target

FILE = file_part("resume.pdf", PDF)
OPENING = b"--" + BOUNDARY + b"\r\n"
TOKEN = "/api/v1/auth/token"
URLENCODED = "Content-Type: application/x-www-form-urlencoded"


# Row 13
@pytest.mark.parametrize(
    "boundary",
    ["\\" * 10_000, '"' + "\\" * 10_000, "b" * 300, "", '"', "a\x00b", "é", "a b ", "b;" * 5000],
)
def test_a_boundary_against_the_rules_is_refused(target: Target, boundary: str) -> None:
    with target.within(cpu_seconds=0.1), target.storing_nothing():
        answer = target.post_form(
            good_form(), f"Content-Type: multipart/form-data; boundary={boundary}"
        )
    assert answer.status in (400, 431)
    assert answer.seconds < 3


# Row 13
@pytest.mark.parametrize(
    "tail", ["", "; charset=utf-8", "; a=" + "\\" * 10_000, '; x="' + '\\"' * 5000]
)
def test_parameters_without_a_boundary_are_refused(target: Target, tail: str) -> None:
    with target.within(cpu_seconds=0.1), target.storing_nothing():
        answer = target.post_form(good_form(), f"Content-Type: multipart/form-data{tail}")
    assert answer.status == 400


# Row 14
@pytest.mark.parametrize("filler", [b"\r\n", b"\r", b"\n", b"-", b"--", b"x", b"\r\n--the-boundar"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_megabytes_around_the_form_are_refused(target: Target, filler: bytes, place: str) -> None:
    outside = filler * (20 * MEBIBYTE // len(filler))
    whole = outside + b"\r\n" + good_form() if place == "before" else good_form() + outside
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.post_form(whole)
    assert answer.status in (400, 413)


# Row 15
@pytest.mark.parametrize(
    "headers",
    [
        [b"X-%d: x" % number for number in range(5000)],
        [b"X-Large: " + b"x" * MEBIBYTE],
        [b"x" * MEBIBYTE + b": x"],
        [b"X:" + b" " * MEBIBYTE],
        [b"Content-Disposition: form-data; " + b"a=b;" * 100_000],
        [b'Content-Disposition: form-data; name="' + b'\\"' * 100_000 + b'"'],
        [b"no colon"],
        [b": empty name"],
        [b"Content-Disposition: attachment"],
        [b"Content-Disposition: form-data"],
        [b'Content-Disposition: form-data; name=""'],
        [b'Content-Disposition: form-data; name="a"', b'Content-Disposition: form-data; name="b"'],
        [b'Content-Disposition: form-data; name="a"', b"Content-Transfer-Encoding: base64"],
    ],
    ids=lambda headers: headers[0][:30].decode(),
)
def test_part_headers_against_the_rules_are_refused(target: Target, headers: list[bytes]) -> None:
    part = OPENING + b"\r\n".join([*headers, b"", b"x", b""])
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.post_form(form(person(), part, FILE))
    assert answer.status in (400, 422)


# Row 16
@pytest.mark.parametrize(
    "parts",
    [
        [text_part(f"field{number}", "x") for number in range(1001)],
        [file_part("a.pdf", PDF, name=f"file{number}") for number in range(50)],
        [file_part("a.pdf", PDF) for number in range(50)],
        [text_part("first_name", "Second")],
        [text_part("email", "second@example.com")],
        [text_part("other", "one"), text_part("other", "two")],
        [FILE],
        [file_part("a.pdf", PDF, name="first_name")],
        [file_part("a.pdf", PDF, name="another")],
        [text_part("resume", "text")],
        [text_part("n" * 3000, "x")] * 20,
        [text_part("large", b"x" * (20 * MEBIBYTE))],
    ],
    ids=lambda parts: f"{len(parts)} {parts[0][60:80]!r}",
)
def test_too_many_parts_and_repeated_ones_are_refused(target: Target, parts: list[bytes]) -> None:
    with target.within(cpu_seconds=0.3), target.storing_nothing():
        answer = target.post_form(form(person(), FILE, *parts))
    assert answer.status in (400, 422)


# Row 17
@pytest.mark.parametrize(
    "body",
    [
        b"&".join(b"a%d=b" % number for number in range(1_000_000)),
        b"a&" * 1_000_000,
        b"password=" + b"x" * (60 * MEBIBYTE),
        b"%" * (2 * MEBIBYTE),
        b"&".join(b"a%d=b" % number for number in range(1000)),
    ],
    ids=["a million fields", "a million names", "a large field", "percent signs", "many fields"],
)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_oversized_sign_in_is_refused(target: Target, body: bytes, framing: str) -> None:
    lines = [URLENCODED] if framing == "length" else [URLENCODED, "Transfer-Encoding: chunked"]
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.send(
            request("POST", TOKEN, *lines, body=body if framing == "length" else chunked(body))
        )
    assert answer.status == 400


# Row 18
def test_a_semicolon_separates_nothing(target: Target) -> None:
    body = b"grant_type=password&username=admin;password=a+long+walk+along+the+sea"
    answer = target.send(request("POST", TOKEN, URLENCODED, body=body))
    assert answer.status == 422
    assert [error["field"] for error in json.loads(answer.body)["errors"]] == ["password"]


# Row 19
@pytest.mark.parametrize(
    "body",
    [
        good_form()[: -len(BOUNDARY) - 8],
        good_form()[:-3],
        good_form()[:-4] + b"\r\n",
        person(),
        b"",
        b"--" + BOUNDARY + b"--\r\n",
        b"--" + BOUNDARY,
        b"no multipart at all",
        good_form().replace(b"\r\n", b"\n"),
        good_form().replace(b"\r\n\r\n", b"\r\n", 1),
    ],
    ids=range(10),
)
def test_a_form_without_its_end_is_refused(target: Target, body: bytes) -> None:
    with target.storing_nothing():
        answer = target.post_form(body)
    assert answer.status in (400, 422)


# Row 19
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_connection_cut_amid_the_file_stores_nothing(target: Target, framing: str) -> None:
    body = form(person(), file_part("resume.pdf", PDF + bytes(3 * MEBIBYTE)))
    if framing == "length":
        data = request("POST", "/api/v1/leads", _content_type(), body=body)
    else:
        lines = [_content_type(), "Transfer-Encoding: chunked"]
        data = request("POST", "/api/v1/leads", *lines, body=chunked(body))
    with target.storing_nothing():
        target.send(data[: -MEBIBYTE // 2], cut=True)


# Row 20
@pytest.mark.parametrize(
    "parameters",
    [
        b"filename=\"plain.pdf\"; filename*=UTF-8''evil.exe",
        b"filename*=UTF-8''evil.exe; filename=\"plain.pdf\"",
    ],
)
def test_the_plain_file_name_wins(target: Target, parameters: bytes) -> None:
    lead = target.accepted(parameters, email="starred@example.com")
    assert lead["resume"]["filename"] == "plain.pdf"


# Row 25
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"first_name": "A"}'),
        ("text/plain", b"first_name=A"),
        ("application/x-www-form-urlencoded", b"first_name=A&last_name=B&email=a@b.com"),
        ("multipart/mixed; boundary=the-boundary", good_form()),
        ("multipart/form-dataX; boundary=the-boundary", good_form()),
        ("application/xml", b"<a/>"),
        ("", good_form()),
        ("\x00", good_form()),
    ],
)
def test_another_content_type_is_refused(target: Target, content_type: str, body: bytes) -> None:
    with target.storing_nothing():
        answer = target.post_form(body, f"Content-Type: {content_type}")
    assert answer.status == 415 or (answer.status == 400 and "\x00" in content_type)


# Row 26
def test_fields_that_are_not_of_the_form_change_nothing(target: Target) -> None:
    extras = {
        "id": "7777",
        "status": "REACHED_OUT",
        "state": "REACHED_OUT",
        "created_at": "2001-01-01T00:00:00Z",
        "reached_out_by": "admin",
        "is_admin": "true",
        "assigned_to": "1",
        "reference": "CHOSEN",
        "flags": "[]",
        "__proto__": "x",
    }
    lead = target.accepted(email="extra@example.com", **extras)
    assert (lead["state"], lead["reached_out_by"]) == ("PENDING", None)
    assert lead["id"] != 7777
    assert lead["reference"] != "CHOSEN"
    assert not lead["created_at"].startswith("2001")
    assert "7777" not in target.api("GET", f"/leads/{lead['id']}").text


def _content_type() -> str:
    return f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}"
