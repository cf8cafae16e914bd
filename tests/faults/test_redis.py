"""Redis fails in every way it can: intake goes on as fast, mail by the sweep."""

from collections.abc import Callable

from tests.faults.installation import Installation
from tests.faults.proxy import BLACK_HOLE
from tests.waiting import wait_until


def test_a_silent_redis_delays_no_lead_and_mail_goes_by_the_sweep(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(redis=True, workers=1)
    with parts.load() as load:
        wait_until(lambda: len(load.answers) >= 20)
        parts.redis_proxy.mode = BLACK_HOLE
        silent = load.now()
        wait_until(lambda: parts.readiness()[1]["status"] == "degraded")
        sent = len(parts.sink.messages)
        wait_until(lambda: len(parts.sink.messages) > sent + 20, 15)
        assert load.since(silent)
        assert set(load.statuses) == {201}
        parts.redis_proxy.mode = "pass"
        healed = load.now()
        wait_until(lambda: parts.readiness()[1]["status"] == "ok", 10)
        took = load.now() - healed
    parts.assert_nothing_lost()
    measured(
        "Redis: black hole",
        f"201 for all of {load.statuses[201]}",
        f"by the sweep; ready {took:.1f} s after",
    )
