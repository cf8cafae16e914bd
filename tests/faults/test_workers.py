"""Workers that stand still or die: others take over, and who comes back changes nothing."""

import signal
from collections.abc import Callable

import pytest

from tests.faults import figures
from tests.faults.installation import FaultWorker, Installation
from tests.faults.scripting import Gate, answer_one
from tests.servers.smtp_sink import HANG
from tests.waiting import wait_until

SENDERS = 4
LEASE = 3.0


@pytest.mark.parametrize(("stage", "copies"), [("rcpt", 0), ("dot", SENDERS)])
def test_a_worker_that_stood_still_finds_its_mails_sent_and_changes_nothing(
    stage: str,
    copies: int,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(redis=True, workers=1, waits={"lease": LEASE})
    [stopped] = parts.workers
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(parts.sink.messages) >= 20, 30)
        gate = Gate(parts.sink, stage)
        wait_until(lambda: gate.held == SENDERS, 30)
        failed = load.now()
        parts.stop_between_commits(stopped)
        in_hand = {mail["id"] for mail in parts.mails() if mail["status"] == "SENDING"}
        gate.open()
        other = parts.enter_context(FaultWorker(parts.folder, name="other", **parts.settings))
        wait_until(lambda: in_hand <= _sent(parts), 60)
        taken_over = load.now() - failed
        stopped.send_signal(signal.SIGCONT)
        wait_until(lambda: stopped.log.count("lease_lost") >= (SENDERS if not copies else 0), 30)
        arrived = len(parts.sink.messages)
        wait_until(lambda: len(parts.sink.messages) >= arrived + 20, 30)
    assert set(load.statuses) == {201}
    assert other.is_running()
    parts.assert_nothing_lost(copies=copies)
    recorded = [one["delivery_id"] for one in parts.attempts()]
    assert len(recorded) == len(set(recorded))  # each as SENT once: the late record was refused
    twice = len(parts.sink.messages) - len(parts.mails())
    where = "before the final dot" if not copies else "at the final dot"
    measured(
        f"Worker stopped {where} for {taken_over:.1f} s, lease {LEASE:.0f} s",
        f"{load.statuses[201]} x 201",
        f"{len(in_hand)} in hand, all sent by the other; {twice} copies; "
        f"{stopped.log.count('lease_lost')} broken off by the fence",
    )


def test_a_mail_in_hand_at_three_deaths_has_failed_and_the_queue_behind_it_moves_on(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(redis=True, workers=1, waits={"lease": LEASE})
    [worker] = parts.workers
    poison = "p5-s1@example.com"
    answer_one(parts.sink, {poison: ("rcpt", [HANG] * 9)})
    with parts.load(clients=2, pause=0.1) as load:
        for death in (1, 2, 3):
            wait_until(lambda death=death: _tries(parts, poison) == death, 60)
            sent = len(parts.sink.messages)
            wait_until(lambda sent=sent: len(parts.sink.messages) >= sent + 20, 60)
            worker.kill()
            worker.start()
        died = load.now()
        wait_until(lambda: parts.count("FAILED") == 1, 60)
        failed = load.now() - died
        arrived = len(parts.sink.messages)
        wait_until(lambda: len(parts.sink.messages) >= arrived + 20, 60)
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost(unsent=1, copies=3 * SENDERS)
    [mail] = [one for one in parts.mails() if one["status"] == "FAILED"]
    assert (mail["recipient"], mail["deaths"], mail["attempts"]) == (poison, 3, 3)
    assert mail["last_reply"] == "Three workers died while sending this mail."
    assert _tries(parts, poison) == 3
    mails = parts.mails()
    measured(
        "Poison: a mail in hand at three deaths",
        f"{load.statuses[201]} x 201",
        f"FAILED {failed:.1f} s after the third; {len(mails) - 1} others sent, "
        f"longest lag {figures.lag(mails):.1f} s, "
        f"{len(parts.sink.messages) - len(mails) + 1} copies of three kills",
    )


def _sent(parts: Installation) -> set[object]:
    return {mail["id"] for mail in parts.mails() if mail["status"] == "SENT"}


def _tries(parts: Installation, recipient: str) -> int:
    return sum(recipient in command for command in list(parts.sink.commands))
