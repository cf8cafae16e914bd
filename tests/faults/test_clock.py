"""The wall clock jumps: no mail is stuck, and none goes twice but what was under way."""

from collections.abc import Callable

import pytest

from tests.faults import figures
from tests.faults.installation import Installation
from tests.faults.scripting import Gate
from tests.waiting import wait_until

HOUR = 3600
SENDERS = 2 * 4
"""Of two workers."""


@pytest.mark.parametrize(
    ("jump", "seconds", "stage", "copies"),
    [
        ("a day forward", 24 * HOUR, "rcpt", 0),
        # Every lease looks as if it had run out, so who stands at the dot may be overtaken.
        ("a day forward", 24 * HOUR, "dot", SENDERS),
        ("an hour back", -HOUR, "dot", 0),
    ],
)
def test_a_clock_that_jumps_under_load_leaves_no_mail_stuck(
    jump: str,
    seconds: int,
    stage: str,
    copies: int,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(redis=True, workers=2)
    with parts.load(clients=3) as load:
        wait_until(lambda: len(parts.sink.messages) >= 20, 30)
        gate = Gate(parts.sink, stage)
        wait_until(lambda: gate.held == SENDERS, 30)
        before = len(load.answers)
        wait_until(lambda: len(load.answers) >= before + 5, 30)  # some wait behind these
        jumped = load.now()
        parts.move_clock(seconds)
        gate.open()
        wait_until(lambda: len(load.answers) >= before + 15, 30)
        end = load.now()
    drained = parts.wait_until_all_sent()
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost(copies=copies)
    mails = parts.mails()
    assert max(mail["attempts"] for mail in mails) <= 2
    measured(
        f"Clock {jump}, {SENDERS} exchanges at {stage}",
        figures.intake(load, jumped, end),
        f"{len(mails)} mails sent, {len(parts.sink.messages) - len(mails)} copies; "
        f"drained {drained:.1f} s after the load",
    )
