"""A mail server that says no, for now or for good, to some mails among many."""

from collections.abc import Callable
from itertools import pairwise

from notion_backend.application.delivery.retry_schedule import DELAYS, JITTER
from tests.faults import figures
from tests.faults.installation import Installation
from tests.faults.scripting import answer_one
from tests.waiting import wait_until

FASTER = 0.02
"""Of the 30 s, 2 min, 10 min ... of the schedule 0.6 s, 2.4 s, 12 s ... are left."""
_ASKED_SECONDS = 4

NOT_NOW = {
    "421 on RCPT": ("rcpt", "421 4.3.2 going down", 2),
    "450 then accepted": ("rcpt", "450 4.2.0 greylisted", 1),
    "451 on RCPT": ("rcpt", f"451 4.7.1 try again in {_ASKED_SECONDS} seconds", 1),
    "451 on DATA": ("data", "451 4.3.0 local error", 2),
    "451 after the dot": ("dot", "451 4.3.0 queue file write error", 2),
    "452 on RCPT": ("rcpt", "452 4.5.3 too many recipients", 2),
    "452 on DATA": ("data", "452 4.3.1 out of storage", 2),
    "452 after the dot": ("dot", "452 4.3.1 out of storage", 1),
    "421 after the dot": ("dot", "421 4.3.2 going down", 1),
}
NEVER = {
    "550 on RCPT": ("rcpt", "550 5.1.1 no such user"),
    "552 after DATA": ("dot", "552 5.3.4 message too big"),
    "554 after DATA": ("dot", "554 5.7.1 it looks like spam"),
    "554 on DATA": ("data", "554 5.5.1 no valid recipients"),
}


def test_a_temporary_no_is_asked_again_on_schedule_and_others_do_not_wait(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(waits={"retries, times": FASTER})
    recipients = {_prospect(place): case for place, case in enumerate(NOT_NOW.values())}
    answer_one(
        parts.sink,
        {one: (stage, [reply] * times) for one, (stage, reply, times) in recipients.items()},
    )
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 30, 60)
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost()
    sent = {mail["recipient"]: mail for mail in parts.mails() if mail["lead_id"] is not None}
    others = [mail for mail in parts.mails() if mail["recipient"] not in recipients]
    for fault, recipient in zip(NOT_NOW, recipients, strict=True):
        stage, reply, times = NOT_NOW[fault]
        attempts = parts.attempts(recipient)
        stages = [(one["stage"], one["reply"]) for one in attempts]
        assert stages == [(stage, reply)] * times + [("sent", "250 2.0.0 kept")]
        waits = [
            figures.seconds_between(one["at"], following["at"])
            for one, following in pairwise(attempts)
        ]
        asked = _ASKED_SECONDS if "try again" in reply else 0.0
        for wait, delay in zip(waits, DELAYS, strict=False):
            assert wait >= max(asked, delay * FASTER * (1 - JITTER))
        assert sent[recipient]["attempts"] == times + 1
        measured(
            f"SMTP: {fault}",
            f"{load.statuses[201]} x 201",
            f"sent at attempt {times + 1}, tried again after "
            + ", ".join(f"{wait:.1f} s" for wait in waits)
            + f"; longest lag of the others {figures.lag(others):.1f} s",
        )


def test_a_final_no_fails_at_once_with_its_reply_and_others_do_not_wait(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(waits={"retries, times": FASTER})
    recipients = {_prospect(place): case for place, case in enumerate(NEVER.values())}
    answer_one(
        parts.sink, {one: (stage, [reply] * 9) for one, (stage, reply) in recipients.items()}
    )
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 20, 60)
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost(unsent=len(NEVER))
    mails = parts.mails()
    failed = {mail["recipient"]: mail for mail in mails if mail["status"] == "FAILED"}
    assert failed.keys() == recipients.keys()
    for fault, recipient in zip(NEVER, recipients, strict=True):
        stage, reply = NEVER[fault]
        [attempt] = parts.attempts(recipient)
        assert (attempt["stage"], attempt["reply"]) == (stage, reply)
        assert failed[recipient]["attempts"] == 1
        assert failed[recipient]["last_reply"] == reply
        after = figures.seconds_between(failed[recipient]["created_at"], attempt["at"])
        measured(
            f"SMTP: {fault}",
            f"{load.statuses[201]} x 201",
            f"FAILED {after:.1f} s after the lead, 1 attempt, reply kept; "
            f"{len(mails) - len(NEVER)} others sent, longest lag {figures.lag(mails):.1f} s",
        )


def _prospect(place: int) -> str:
    """Return the address of one of the first prospects of the load."""
    return f"p{place + 3}-s1@example.com"
