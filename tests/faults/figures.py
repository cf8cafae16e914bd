"""What was measured, as figures for the fault matrix."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.faults.installation import Installation
from tests.faults.load import Load


def lag(mails: Sequence[dict[str, Any]]) -> float:
    """Return the longest time from the making of one of these mails until it was SENT."""
    return max(
        seconds_between(mail["created_at"], mail["sent_at"])
        for mail in mails
        if mail["status"] == "SENT"
    )


def seconds_between(earlier: Any, later: Any) -> float:
    """Return the seconds between two moments as the database gives them."""
    return (_moment(later) - _moment(earlier)).total_seconds()


def intake(load: Load, begin: float, end: float) -> str:
    """Tell how the submissions were answered, and how fast before and during a fault."""
    counts = ", ".join(f"{number} x {status}" for status, number in load.statuses.items())
    before, during = load.p95(0, begin) * 1000, load.p95(begin, end) * 1000
    return f"{counts}; p95 {before:.0f} ms before, {during:.0f} ms during"


def out_of_turn(parts: Installation, mails: Sequence[dict[str, Any]]) -> int:
    """Return by how many places the mail that was sent most out of turn was late or early.

    Args:
        parts: where they were sent.
        mails: in the order in which they should have been sent.
    """
    turns = {str(mail["id"]).replace("-", ""): turn for turn, mail in enumerate(mails)}
    arrived = [
        turns[name]
        for message in list(parts.sink.messages)
        if (name := message.message_id.strip("<>").partition("@")[0].replace("-", "")) in turns
    ]
    return max(abs(turn - place) for place, turn in enumerate(arrived))


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
