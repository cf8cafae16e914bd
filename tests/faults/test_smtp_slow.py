"""A mail server that is slow, silent or gone in the middle holds up that mail and no other."""

from collections.abc import Callable

import pytest

from tests.faults import figures
from tests.faults.installation import Installation
from tests.faults.scripting import answer_one
from tests.servers.smtp_script import Script
from tests.servers.smtp_sink import HANG, RESET, Action
from tests.waiting import wait_until

WAITS = {
    "phases, divided by": 60,
    "retries, times": 0.05,
    "silence": 2.0,
    "first probe": 0.3,
    "probe": 1.0,
}
SENDERS = 4
COMMAND_SECONDS, DATA_SECONDS, DOT_SECONDS = 1.0, 3.0, 10.0
_A_BYTE_A_SECOND = Action(byte_delay=1.0)

IN_ONE_EXCHANGE = {
    "a byte a second on RCPT": ("rcpt", _A_BYTE_A_SECOND, COMMAND_SECONDS, 0),
    "a byte a second on DATA": ("data", _A_BYTE_A_SECOND, DATA_SECONDS, 0),
    "hangs after DATA": ("data", HANG, DATA_SECONDS, 0),
    "a byte a second after the dot": ("dot", _A_BYTE_A_SECOND, DOT_SECONDS, 1),
    "hangs after the dot": ("dot", HANG, DOT_SECONDS, 1),
    "resets after the dot": ("dot", RESET, 0.0, 1),
}
"""The stage, what is done there, its limit in seconds, and how many copies it may make."""


def test_a_server_that_is_slow_to_one_mail_delays_no_other(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(waits=WAITS)
    recipients = {_prospect(place): case for place, case in enumerate(IN_ONE_EXCHANGE.values())}
    answer_one(parts.sink, {one: (case[0], [case[1]]) for one, case in recipients.items()})
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 20, 60)
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost(copies=sum(case[3] for case in recipients.values()))
    others = [mail for mail in parts.mails() if mail["recipient"] not in recipients]
    assert figures.lag(others) < DOT_SECONDS
    for fault, recipient in zip(IN_ONE_EXCHANGE, recipients, strict=True):
        stage, _, limit, copies = IN_ONE_EXCHANGE[fault]
        first, second = parts.attempts(recipient)
        assert (first["stage"], second["stage"]) == (stage, "sent")
        [mail] = [one for one in parts.mails() if one["recipient"] == recipient]
        given_up = figures.seconds_between(mail["created_at"], first["at"])
        again = figures.seconds_between(first["at"], second["at"])
        assert given_up >= limit
        assert again >= (WAITS["silence"] if stage == "dot" else 0)
        arrived = len(parts.sink.to(recipient))
        assert arrived <= 1 + copies
        measured(
            f"SMTP: {fault}",
            f"{load.statuses[201]} x 201",
            f"given up after {given_up:.1f} s of {limit:.0f} s, sent {again:.1f} s later, "
            f"{arrived - 1} copies; longest lag of the others {figures.lag(others):.1f} s",
        )


@pytest.mark.parametrize(
    ("greeting", "steps"),
    [
        ("slow banner", Action(delay=3.0)),
        ("a byte a second from the banner on", Action(byte_delay=1.0)),
    ],
)
def test_a_greeting_that_takes_too_long_is_an_outage_that_counts_against_no_mail(
    greeting: str,
    steps: Script,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(waits=WAITS)
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(parts.sink.messages) >= 10, 30)
        failed = load.now()
        parts.sink.script["banner"] = steps
        parts.smtp_proxy.cut()
        wait_until(lambda: parts.readiness()[1]["parts"]["mail"] != "ok", 30)
        counted = len(_failures(parts))
        tried = parts.service.log.count("mail_not_sent")
        wait_until(lambda: parts.service.log.count("mail_not_sent") >= tried + 2, 30)
        given_up = [mail for mail in parts.mails() if mail["last_reply"]]
        parts.sink.script.clear()
        healed = load.now()
        wait_until(lambda: parts.readiness()[1]["status"] == "ok", 30)
        recovery = load.now() - healed
    assert set(load.statuses) == {201}
    assert "banner: no answer in time" in {mail["last_reply"] for mail in given_up}
    parts.assert_nothing_lost(copies=SENDERS)
    assert len(_failures(parts)) == counted
    measured(
        f"SMTP: {greeting}",
        figures.intake(load, failed, healed),
        f"an outage, nothing counted; ready {recovery:.1f} s after, "
        f"longest lag {figures.lag(parts.mails()):.1f} s",
    )


def test_a_banner_that_comes_in_time_is_waited_for(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(waits=WAITS | {"phases, divided by": 6})
    parts.sink.script["banner"] = Action(delay=2.0)
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(parts.sink.messages) >= 10, 30)
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost()
    assert "mail_not_sent" not in parts.service.log
    measured(
        "SMTP: slow banner, in time",
        f"{load.statuses[201]} x 201",
        f"longest lag {figures.lag(parts.mails()):.1f} s, 0 failures",
    )


def _failures(parts: Installation) -> list[str]:
    return [one["stage"] for one in parts.attempts() if one["stage"] != "sent"]


def _prospect(place: int) -> str:
    """Return the address of one of the first prospects of the load."""
    return f"p{place + 3}-s1@example.com"
