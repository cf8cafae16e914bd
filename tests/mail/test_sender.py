import pytest

from notion_backend.mail.sender import clean_reply, requested_wait


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ("450 4.7.1 Greylisted, please try again in 300 seconds", 300),
        ("450 Try again in 5 minutes.", 300),
        ("451 4.7.1 try again in 1 minute", 60),
        ("450 try again in 2 hours", 7200),
        ("450 retry after 90s", 90),
        ("450 Please retry in 10 min", 600),
        ("450 please wait 15 secs", 15),
        ("450 come back in 1 hr", 3600),
        ("450 try again in 999999 hours", 86400),
        ("450 4.2.1 mailbox busy, try again later", None),
        ("451 4.4.2 timeout after 30 seconds", None),
        ("450 try again in 3 months", None),
        ("452 4.3.1 disk full", None),
        ("", None),
    ],
)
def test_the_wait_in_a_reply_is_understood(reply: str, seconds: float | None) -> None:
    assert requested_wait(reply) == seconds


def test_a_reply_is_made_safe_to_show() -> None:
    assert clean_reply("250 a\r\n b\t\x1b\x00\u2028c\u202e") == "250 a b \ufffd\ufffd c\ufffd"
    assert clean_reply("x" * 5000) == "x" * 500
