import pytest

from notion_backend.application.resumes.resume_kinds import TXT, ResumeKind
from tests.application.resumes import MEBIBYTE, assert_refused, kind_of, media_type_of


@pytest.mark.parametrize("content", [b"<html></html>", b"#!/bin/sh\n", b" \n<?php x", b"<!-- -->"])
def test_markup_or_a_script_is_no_plain_text(content: bytes) -> None:
    assert_refused("cv.txt", content)


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"MZWANDILE NKOSI\r\nAnalyst",
        b"Skills: HTML (<html>, <script>), %PDF-1.7 internals, PHP (<?php)",
        b"Typeset in %PDF-1.7",
        b"<ada@example.com>\tAda\fpage two\n",
        "Zoë \u2013 naïve".encode("cp1252"),
        "\ufeffZoë 日本語".encode(),
        "\ufeffZoë 日本語 😀".encode("utf-16-be"),
        "\ufeffZoë 日本語 😀".encode("utf-16-le"),
    ],
)
def test_plain_text_is_accepted_from_one_byte(content: bytes) -> None:
    assert kind_of("cv.txt", content) == ResumeKind(TXT)


@pytest.mark.parametrize(
    "content",
    [
        *(b"Ada" + bytes([code]) for code in {*range(32), 127} - {9, 10, 12, 13}),
        *(b"Zo\xeb " + bytes([code]) for code in (0x81, 0x8D, 0x8F, 0x90, 0x9D)),
        "Ada".encode("utf-16-le"),
        b"\xff\xfe" + "A\x07".encode("utf-16-le"),
        b"\xff\xfe" + "Ada".encode("utf-16-le") + b"\x00",
        b"\xff\xfe\x00\xd8A\x00",
        "\u0141\u010d\u0181 cut".encode() + b"\xf0\x9f\x98",
        b"\xff\xfe\x00\x00A\x00\x00\x00",
    ],
)
def test_text_with_control_characters_or_in_another_encoding_is_refused(content: bytes) -> None:
    assert_refused("cv.txt", content)


@pytest.mark.parametrize("shift", range(4))
def test_a_character_across_two_chunks_is_read_whole(shift: int) -> None:
    text = "a" * (MEBIBYTE - shift) + "\U0001f600"
    assert b"\x9f" in text.encode()
    with_undefined_1252 = text + "\u0141\u010d\u0181"
    assert media_type_of("cv.txt", with_undefined_1252.encode()) == TXT
    assert media_type_of("cv.txt", b"\xff\xfe" + text.encode("utf-16-le")) == TXT
    assert_refused("cv.txt", (text + "\x81").encode("utf-8")[:-2] + b"\xff\x81")


def test_a_control_character_far_into_a_text_is_found() -> None:
    assert_refused("cv.txt", b"a" * (3 * MEBIBYTE) + b"\x00")
