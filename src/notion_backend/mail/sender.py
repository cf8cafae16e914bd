"""What a sender promises, and the four ways an attempt can end without being accepted."""

import re
import unicodedata
from collections.abc import Callable
from typing import Protocol

from notion_backend.mail.messages import Message

REPLY_LIMIT = 500
_DAY = 86_400.0
_WAIT = re.compile(
    r"\b(?:again|retry|back|wait)\b\D{0,30}?(\d{1,6})\s*(s|m|h)(?:ec|in|r|econd|inute|our)?s?\b",
    re.IGNORECASE,
)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Sender(Protocol):
    """Hands messages on, one at a time; each belongs to one thread."""

    def send(self, message: Message, may_finish: Callable[[], bool]) -> str:
        """Hand `message` on and return the final reply, at most 500 characters.

        `may_finish` is asked once, just before the step that cannot be taken back. When it says
        no, or raises, nothing has been handed on.

        Raises:
            LeaseLost: `may_finish` said no.
            MailOutage, MailDeferred, MailRejected, MailUncertain: as each says.
        """
        ...

    def close(self) -> None:
        """Let go of what is open; the next `send` opens it again."""
        ...


class MailError(Exception):
    """An attempt that ended without acceptance.

    `stage` is how far it came: connect, banner, ehlo, starttls, auth, mail, rcpt, data or dot.
    `reply` holds the other side's words, or ours where it said none, in at most 500 characters;
    `heard` is false where the connection broke or nothing came in time.
    """

    def __init__(self, stage: str, reply: str, *, heard: bool = True) -> None:
        self.stage = stage
        self.reply = clean_reply(reply)
        self.heard = heard
        super().__init__(f"{stage}: {self.reply}")


class MailOutage(MailError):
    """The way out is closed, whatever the mail: nothing is counted against it."""


class MailDeferred(MailError):
    """Not now: the other side said so for this mail, or the connection broke before the end.

    `retry_after` is the wait in seconds it asked for, a day at most, if it named one.
    """

    def __init__(self, stage: str, reply: str, *, heard: bool = True) -> None:
        super().__init__(stage, reply, heard=heard)
        self.retry_after = requested_wait(self.reply)


class MailRejected(MailError):
    """Never: trying the same again cannot help."""


class MailUncertain(MailError):
    """All was sent, no answer came: it may be accepted yet (RFC 5321 §4.5.3.2.6 allows 10 min)."""


class LeaseLost(Exception):
    """Somebody else has this mail now; the exchange was broken off before its end."""


def clean_reply(reply: str) -> str:
    """Make one line of `reply`: control, format and unassigned characters replaced, cut at 500."""
    line = " ".join(reply.split())[: REPLY_LIMIT * 2]
    line = "".join("\ufffd" if unicodedata.category(char)[0] == "C" else char for char in line)
    return line[:REPLY_LIMIT]


def requested_wait(reply: str) -> float | None:
    """Return the seconds that words like "try again in 5 minutes" ask for, a day at most."""
    if not (match := _WAIT.search(reply)):
        return None
    return min(int(match[1]) * _UNIT_SECONDS[match[2].lower()], _DAY)
