"""What may be written as an e-mail address, and what mail does with it: rows 34 to 38."""

import json

import pytest

from tests.hostile.raw_http import request
from tests.hostile.target import Target
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

REFUSED = [
    # Row 34
    "a@b.com\r\nRCPT TO:<x@y.com>",
    "a@b.com\nBcc: x@y.com",
    '"a\r\nb"@x.com',
    '"a b"@x.com',
    "a@b.com\x00",
    "a\x00@b.com",
    "a@b.com>\r\nDATA",
    "a@b.com> SIZE=1",
    # Row 35
    "a@b.com,c@d.com",
    "a@b.com;c@d",
    "a@b.com c@d.com",
    "Bob <a@b.com>",
    "<a@b.com>",
    "a@b.com?bcc=c",
    "a@b.com%0aBcc:c@d.com",
    "mailto:a@b.com",
    "a@b@c.com",
    "@b.com",
    "a@",
    "a",
    "a(comment)@b.com",
    # Row 36
    "x" * 65 + "@b.com",
    "é" * 33 + "@b.com",
    "a@" + ".".join(["x" * 60] * 5) + ".com",
    "a@" + "x" * 64 + ".com",
    "a@b",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@127.0.0.1",
    "a@localhost",
    ".a@b.com",
    "a.@b.com",
    "a..b@c.com",
    "a@.com",
    "a@b..com",
    "a@-b.com",
    "a@b-.com",
    "a@b_c.com",
    "a@b.c\u200bom",
    "a\u202e@b.com",
    "a@xn--a.com",
    "x" * 100_000 + "@b.com",
    "a@" + "b." * 50_000 + "com",
    b"a\xff@b.com",
    b"a\xed\xa0\x80@b.com",
    "",
    " ",
    "@",
]


# Rows 34 to 36
@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_one_address_is_refused(target: Target, address: str | bytes) -> None:
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.submit(email=address)
    assert answer.status == 422
    assert [error["field"] for error in json.loads(answer.body)["errors"]] == ["email"]


# Row 37
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("用户@例え.jp", "用户@例え.jp"),
        ("a@xn--r8jz45g.jp", "a@例え.jp"),
        ("zoë@bücher.example.org", "zoë@bücher.example.org"),
        ("O'Brien+tag@Example.ORG", "O'Brien+tag@example.org"),
    ],
)
def test_an_international_address_is_taken(target: Target, sent: str, shown: str) -> None:
    lead = target.accepted(email=sent)
    assert lead["email"] in (sent, shown)


def submit_from(target: Target, number: int, address: str) -> int:
    """Send the form as somebody at another address, through a trusted proxy."""
    answer = target.submit(
        "resume.pdf", b"%PDF-1.7\n%%EOF", f"X-Forwarded-For: 203.0.113.{number}", email=address
    )
    return answer.status


def deliveries_to(target: Target, address: str) -> list[dict[str, str]]:
    found = target.api("GET", "/deliveries?limit=200").json()["items"]
    return [mail for mail in found if mail["recipient"] == address]


# Row 34
def test_a_mail_goes_to_its_one_recipient(guarded: Target, sink: SmtpSink) -> None:
    assert submit_from(guarded, 1, "one.rcpt@example.com") == 201
    wait_until(lambda: sink.to("one.rcpt@example.com"))
    [mail] = sink.to("one.rcpt@example.com")
    assert mail.recipient == "one.rcpt@example.com"
    names = [line for line in sink.commands if "one.rcpt@example.com" in str(line)]
    assert len(names) == 1


# Row 37
def test_a_domain_goes_out_as_its_a_label(guarded: Target, sink: SmtpSink) -> None:
    assert submit_from(guarded, 2, "a@例え.jp") == 201
    wait_until(lambda: sink.to("a@xn--r8jz45g.jp"))


# Row 37
def test_a_relay_without_smtputf8_fails_that_mail_and_not_the_lead(guarded: Target) -> None:
    assert submit_from(guarded, 3, "用户@例え.jp") == 201

    def failed() -> list[dict[str, str]]:
        found = deliveries_to(guarded, "用户@例え.jp")
        return [mail for mail in found if mail["status"] == "FAILED"]

    [mail] = wait_until(failed)
    assert "SMTPUTF8" in mail["last_reply"]


# Row 38
def test_an_address_gets_three_confirmations_an_hour_whoever_asks(
    guarded: Target, sink: SmtpSink
) -> None:
    address = "victim@example.com"
    spellings = [address, "VICTIM@example.com", "victim@EXAMPLE.com", " victim@example.com "]
    before = guarded.count("leads")
    for number in range(16):
        assert submit_from(guarded, 10 + number, spellings[number % 4]) == 201
    assert guarded.count("leads") == before + 16
    guarded.wait_for_mails()
    found = guarded.api("GET", "/deliveries?status=HELD&limit=200").json()["items"]
    held = [mail for mail in found if mail["recipient"].lower() == address]
    assert len(held) == 13
    assert all(mail["last_reply"] for mail in held)
    received = [mail for mail in sink.messages if mail.recipient.lower() == address]
    assert len(received) == 3


# The contract: 429 rate_limited with Retry-After.
def test_too_many_forms_from_one_address_are_refused_and_not_stored(guarded: Target) -> None:
    line = "X-Forwarded-For: 192.0.2.99"
    for _ in range(20):
        guarded.send(request("POST", "/api/v1/leads", line))
    with guarded.storing_nothing():
        answer = guarded.submit("resume.pdf", b"%PDF-1.7\n", line)
    assert answer.status == 429
    assert 1 <= int(answer.header("retry-after")) <= 60
    assert json.loads(answer.body)["code"] == "rate_limited"
