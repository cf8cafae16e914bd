"""The disk fails at the k-th sync or write: 503 for what is not stored, nothing acked is lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.installation import Installation
from tests.faults.load import REFUSED, Load
from tests.faults.outage import Outage
from tests.faults.system_calls import SYNCS, FailingCalls
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("strace")

_LEASE = {"lease": 12.0}
_WHICH = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14)
_CLIENTS = 3
"""So many submissions share a commit at most."""
_MOST_COPIES = 4
"""Of a killed process: one for each of its senders."""

Measured = Callable[[str, str, str], None]


@pytest.mark.long
@pytest.mark.parametrize(("calls", "error"), [(SYNCS, "EIO"), ("pwrite64", "ENOSPC")])
def test_a_call_that_fails_once_costs_a_503_and_no_acknowledged_lead(
    installation: Callable[..., Installation],
    tmp_path: Path,
    calls: str,
    error: str,
    measured: Measured,
) -> None:
    parts = installation(waits=_LEASE)
    kills = reached = 0
    with parts.load(clients=_CLIENTS) as load:
        for k in _WHICH:
            told, attached = load.statuses[503], load.now()
            log = tmp_path / f"calls-{k}"
            with FailingCalls(parts.service.pid, calls, error, log, when=f"{k}") as failing:
                wait_until(partial(_is_past, load, attached, k, told), 60)
                assert failing.injected
            reached += load.statuses[503] > told
            if k % 5 == 4:
                parts.service.kill()
                parts.service.start()
                kills += 1
            _wait_for_201(load)
    assert reached >= len(_WHICH) / 3, "some spare intake, but not most"
    assert set(load.statuses) <= {201, 503, REFUSED}
    assert all(one.retry_after for one in load.answers if one.status == 503)
    drained = parts.wait_until_all_sent()
    leads = parts.assert_nothing_lost(copies=kills * _MOST_COPIES)
    measured(
        f"SQLite: {error} at the k-th {calls.partition(',')[0]}, {len(_WHICH)} k, {kills} kills",
        f"{load.statuses[201]} x 201, {load.statuses[503]} x 503, "
        f"{load.statuses[REFUSED]} without an answer, {leads} leads",
        f"all SENT {drained:.1f} s after the load",
    )


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_syncs_that_fail_for_a_while_are_told_by_readiness_and_survived(
    installation: Callable[..., Installation], tmp_path: Path, error: str, measured: Measured
) -> None:
    parts = installation(waits=_LEASE)
    with parts.load() as load:
        wait_until(lambda: load.statuses[201] >= 5, 30)
        assert parts.readiness()[0] == 200
        with (
            Outage(load) as outage,
            FailingCalls(parts.service.pid, SYNCS, error, tmp_path / "log"),
        ):
            outage.wait_until_told()
            status, said = parts.readiness()
            assert status == 503
            assert "cannot store" in said["parts"]["database"]
        assert parts.readiness()[0] == 200
    outage.assert_told(longest=8)
    parts.service.kill()
    parts.service.start()
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost(copies=_MOST_COPIES)
    measured(
        f"SQLite: {error} at every sync for {outage.seconds:.1f} s, then a kill",
        f"{outage}; /readyz 503 meanwhile",
        f"all SENT {drained:.1f} s after the kill",
    )


def _is_past(load: Load, attached: float, k: int, told: int) -> bool:
    """Tell whether the k-th call was made: some do not matter, such as those of a checkpoint."""
    return load.statuses[503] > told or len(load.since(attached)) > _CLIENTS * (k + 2)


def _wait_for_201(load: Load) -> None:
    since = load.now()
    wait_until(lambda: any(one.status == 201 for one in load.since(since)), 30)
