"""No mail server for days: leads come as ever, nothing counts against a mail, all is sent later."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import figures
from tests.faults.installation import Installation
from tests.waiting import wait_until

DAY = 86_400
SENDERS = 4
WAITS = {"first probe": 0.3, "probe": 1.0, "silence": 1.0}
_NAME = "relay.invalid"

Break = Callable[[Installation], object]

OUTAGES: dict[str, tuple[Break, Break]] = {
    "refused": (
        lambda parts: parts.smtp_proxy.refuse(),
        lambda parts: parts.smtp_proxy.listen(),
    ),
    "DNS failure": (
        lambda parts: (parts.names.unlink(), parts.smtp_proxy.cut()),
        lambda parts: parts.names.write_text(f"127.0.0.1 {_NAME}"),
    ),
    "421 in the greeting": (
        lambda parts: (
            parts.sink.script.update(banner="421 4.3.2 closed for the night"),
            parts.smtp_proxy.cut(),
        ),
        lambda parts: parts.sink.script.clear(),
    ),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_days_without_a_mail_server_cost_no_mail_and_the_oldest_goes_first(
    outage: str,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
    tmp_path: Path,
) -> None:
    fail, heal = OUTAGES[outage]
    (tmp_path / "names").write_text(f"127.0.0.1 {_NAME}")
    parts = installation(waits=WAITS, SMTP_HOST=_NAME)
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(parts.sink.messages) >= 20, 30)
        failed = load.now()
        fail(parts)
        wait_until(lambda: parts.readiness()[1]["status"] == "degraded", 30)
        counted = len(parts.attempts())
        tried, began = _tries(parts), time.monotonic()
        for day in (1, 2, 3):
            time.sleep(1.2)  # a probe or two
            parts.move_clock(day * DAY)
        wait_until(lambda: _tries(parts) > tried + 3, 30)
        probes, seconds = _tries(parts) - tried, time.monotonic() - began
        broken = load.now()
    assert set(load.statuses) == {201}
    assert load.since(failed)
    assert parts.count("FAILED") == 0
    assert len(parts.attempts()) == counted
    assert probes <= seconds / WAITS["probe"] + 1
    # What was under way when it broke off waits for its turn on the schedule.
    broken_off = {one["delivery_id"] for one in parts.attempts()}
    waiting = [mail for mail in parts.mails() if mail["id"] not in broken_off]
    heal(parts)
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost(copies=SENDERS)
    ids = {mail["id"] for mail in waiting}
    assert {mail["attempts"] for mail in parts.mails() if mail["id"] in ids} == {1}
    places = figures.out_of_turn(parts, waiting)
    assert places <= 2 * SENDERS
    measured(
        f"SMTP: {outage}, 3 days",
        figures.intake(load, failed, broken),
        f"{probes} probes in {seconds:.1f} s, one a second; {len(waiting)} mails sent {drained:.1f}"
        f" s after, none more than {places} places out of turn, 0 FAILED",
    )


def _tries(parts: Installation) -> int:
    return parts.service.log.count("mail_not_sent")
