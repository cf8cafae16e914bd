"""Stable storage shown by order: each 201 is written after a sync of what it promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.installation import Installation
from tests.faults.load import plain_intent
from tests.faults.sync_order import Trace
from tests.faults.system_calls import SENDS, SYNCS, WRITES, WatchedCalls

pytestmark = pytest.mark.needs("strace")

_SUBMISSIONS = 500
_CLIENTS = 8
_PAGE = 4096


def test_each_of_500_answers_of_201_is_written_after_a_sync_of_its_insert(
    installation: Callable[..., Installation],
    tmp_path: Path,
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(redis=True)
    trace = _traced(parts, _SUBMISSIONS, tmp_path / "calls")
    assert len(trace.answers) == _SUBMISSIONS
    assert trace.answered_too_early() == []
    measured(
        "none: order of syncs",
        f"{len(trace.answers)} x 201, each after one of {trace.syncs} syncs of the log",
        "not sent here",
    )


@pytest.mark.parametrize("synchronous", [0, 1], ids=["OFF", "NORMAL"])
def test_a_database_that_does_not_sync_each_commit_is_found_out(
    installation: Callable[..., Installation], tmp_path: Path, synchronous: float
) -> None:
    parts = installation(redis=True, waits={"synchronous": synchronous})
    trace = _traced(parts, 24, tmp_path / "calls")
    assert len(trace.answers) == 24
    assert len(trace.answered_too_early()) > 12


def _traced(parts: Installation, submissions: int, calls: Path) -> Trace:
    """Submit so many forms, several at once, and return what `serve` wrote, synced and sent."""

    def submit(number: int) -> None:
        intent = plain_intent(number)
        parts.ledger.intend(intent)
        answer = parts.loader.send(intent)
        assert answer
        assert answer[0] == 201

    names = f"{WRITES},{SYNCS},{SENDS}"
    watched = WatchedCalls(parts.service.pid, names, calls, shown=_PAGE)
    with watched, ThreadPoolExecutor(_CLIENTS) as clients:
        for _ in clients.map(submit, range(submissions)):
            pass
    return Trace(calls)
