import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.fields.personal_fields import (
    clean_email,
)
from notion_backend.core.errors import InvalidInput
from tests.application.refused_fields import refused_email


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "ada@mail.test",
        "ada@nowhere.invalid",
        "ada@firm.example",
        "ada@office.local",
        "o'brien+jobs@example.co.uk",
        "a" * 64 + "@example.com",
        "用户@例え.jp",
        "josé@example.com",
    ],
)
def test_an_address_is_kept(address: str) -> None:
    assert clean_email("email", f"  {address} ") == address


def test_an_address_is_normalised() -> None:
    assert clean_email("email", "Ada@EXAMPLE.Com") == "Ada@example.com"
    assert clean_email("email", "a@xn--r8jz45g.jp") == "a@例え.jp"
    assert clean_email("email", "jose\u0301@example.com") == "josé@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "a@b.c\r\nRCPT TO:<x@y>",
        "ada@example.com\n",
        "\tada@example.com",
        '"a\r\nb"@x.com',
        '"ada"@example.com',
        '"a b"@example.com',
        "a@b.com,c@d.com",
        "a@b.com;c@d",
        "a@b.com c@d.com",
        "Bob <a@b.com>",
        "<a@b.com>",
        "a@b.com?bcc=c",
        "mailto:a@b.com",
        "a" * 65 + "@example.com",
        "é" * 33 + "@example.com",
        "a@b",
        "a@test",
        "a@invalid",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@localhost",
        "a@sub.localhost",
        ".a@b.com",
        "a.@b.com",
        "a..b@c.com",
        "a@b..com",
        "a@.com",
        "a@-b.com",
        "a@b_c.com",
        "a@xn--a.com",
        "a@@b.com",
        "ab.com",
        "@b.com",
        "a@",
        "a\u3164b@c.com",
        "a\u200bb@c.com",
        "a\u202eb@c.com",
        "a\x00@b.com",
        "a\ud800@b.com",
    ],
)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    assert refused_email(address) == "invalid_email"


def test_a_missing_address_is_required() -> None:
    assert refused_email("   ") == "required"


def test_an_address_has_254_octets_at_most_in_every_form() -> None:
    labels = ".".join(["b" * 61] * 3)
    longest = "a" * 64 + "@" + labels + ".io"
    assert len(longest) == 253
    assert clean_email("email", longest) == longest
    assert clean_email("email", longest + "n") == longest + "n"
    assert refused_email(longest + "nn") == "too_long"
    assert refused_email("a" * 100_000) == "too_long"
    assert refused_email("a@" + "é" * 130 + ".com") == "too_long"
    long_as_a_label = "a" * 64 + "@" + "é." * 30 + "com"
    assert len(long_as_a_label.encode()) < 254
    assert refused_email(long_as_a_label) == "invalid_email"


@given(st.text(st.characters(codec=None), max_size=60), st.text(max_size=60))
def test_any_text_is_a_clean_address_or_refused(local: str, domain: str) -> None:
    try:
        clean = clean_email("email", f"{local}@{domain}")
    except InvalidInput:
        return
    assert clean_email("email", clean) == clean


@given(st.emails())
def test_ordinary_addresses_stay_clean_once_cleaned(address: str) -> None:
    try:
        clean = clean_email("email", address)
    except InvalidInput:
        return
    assert clean_email("email", clean) == clean
    assert len(clean.encode()) <= 254
