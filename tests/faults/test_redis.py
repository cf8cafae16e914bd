"""Redis fails in every way it can: intake goes on as fast, mail by the sweep."""

import signal
import threading
from collections.abc import Callable

import pytest

from tests.faults import figures
from tests.faults.installation import Installation
from tests.faults.proxy import BLACK_HOLE, PASS
from tests.servers.smtp_sink import Action
from tests.waiting import wait_until

LAG_SECONDS = 15.0
RECOVERY_SECONDS = 10.0
_LIST = "notion:deliveries"
_PASSWORD = "the right one"
_OTHER_PASSWORD = "another one"

Break = Callable[[Installation], object]


def _change_password(parts: Installation) -> None:
    _command(parts, "CONFIG", "SET", "requirepass", _OTHER_PASSWORD)
    parts.redis_proxy.cut()  # who has signed in stays signed in


def _command(parts: Installation, *words: str | int, password: str = _PASSWORD) -> None:
    parts.redis.ask(*words, password=password)


def _evict_the_list(parts: Installation) -> int:
    """Fill the memory until the list of ids is gone; return how many were in it."""
    used = parts.redis.ask("INFO", "memory")["used_memory"]
    parts.redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    parts.redis.ask("CONFIG", "SET", "maxmemory", used + 1_000_000)
    for number in range(1_000):
        length = parts.redis.ask("LLEN", _LIST)
        parts.redis.ask("SET", f"filling {number}", "x" * 100_000)
        if parts.redis.ask("LLEN", _LIST) < length:
            return int(length)
    raise AssertionError("the list of ids is never evicted")


def _start_again(parts: Installation) -> None:
    parts.redis.start()
    parts.redis.ask("CONFIG", "SET", "requirepass", _PASSWORD)


FAULTS: dict[str, tuple[Break, Break]] = {
    "down for a while": (
        lambda parts: parts.redis_proxy.refuse(),
        lambda parts: parts.redis_proxy.listen(),
    ),
    "killed": (lambda parts: parts.redis.kill(), _start_again),
    "read-only": (
        lambda parts: _command(parts, "REPLICAOF", "127.0.0.1", 1),
        lambda parts: _command(parts, "REPLICAOF", "NO", "ONE"),
    ),
    "too few replicas": (
        lambda parts: _command(parts, "CONFIG", "SET", "min-replicas-to-write", 1),
        lambda parts: _command(parts, "CONFIG", "SET", "min-replicas-to-write", 0),
    ),
    "out of memory": (
        lambda parts: _command(parts, "CONFIG", "SET", "maxmemory", 1),
        lambda parts: _command(parts, "CONFIG", "SET", "maxmemory", 0),
    ),
    "wrong password": (
        _change_password,
        lambda parts: _command(
            parts, "CONFIG", "SET", "requirepass", _PASSWORD, password=_OTHER_PASSWORD
        ),
    ),
    "black hole": (
        lambda parts: setattr(parts.redis_proxy, "mode", BLACK_HOLE),
        lambda parts: setattr(parts.redis_proxy, "mode", PASS),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_redis_that_does_not_work_delays_no_lead_and_mail_goes_by_the_sweep(
    fault: str,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
) -> None:
    fail, heal = FAULTS[fault]
    parts = installation(redis=_PASSWORD, workers=1)
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 10, 30)
        failed = load.now()
        fail(parts)
        wait_until(lambda: parts.readiness()[1]["status"] == "degraded", 30)
        sent = len(parts.sink.messages)
        wait_until(lambda: len(parts.sink.messages) > sent + 30, 30)
        heal(parts)
        healed = load.now()
        wait_until(lambda: parts.readiness()[1]["status"] == "ok", RECOVERY_SECONDS)
        recovery = load.now() - healed
    assert set(load.statuses) == {201}
    assert len([one for one in load.since(failed) if one.at < healed]) > 5
    parts.assert_nothing_lost()
    longest = figures.lag(parts.mails())
    assert longest <= LAG_SECONDS
    measured(
        f"Redis: {fault}",
        figures.intake(load, failed, healed),
        f"by the sweep, longest lag {longest:.1f} s; ready {recovery:.1f} s after",
    )


def test_all_starts_without_redis_and_uses_it_once_it_is_there(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(redis=True, workers=1)
    for process in (parts.service, *parts.workers):
        process.stop()
    parts.redis_proxy.refuse()
    for process in (parts.service, *parts.workers):
        process.start()
    assert parts.readiness()[1]["parts"]["queue"] != "ok"
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 10, 30)
        wait_until(lambda: len(parts.sink.messages) >= 30, 30)
        began = parts.redis_proxy.connections
        parts.redis_proxy.listen()
        healed = load.now()
        wait_until(lambda: parts.readiness()[1]["status"] == "ok", RECOVERY_SECONDS)
        recovery = load.now() - healed
    assert parts.redis_proxy.connections > began
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost()
    longest = figures.lag(parts.mails())
    assert longest <= LAG_SECONDS
    measured(
        "Redis: down at boot",
        f"{load.statuses[201]} x 201; p95 {load.p95(0, healed) * 1000:.0f} ms during",
        f"by the sweep, longest lag {longest:.1f} s; ready {recovery:.1f} s after",
    )


def test_what_was_flushed_is_found_by_the_sweep(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(redis=True, workers=1)
    flushed: list[int] = []
    ending = threading.Event()

    def flush() -> None:
        while not ending.wait(0.2):
            flushed.append(parts.redis.ask("DBSIZE"))
            parts.redis.ask("FLUSHALL")

    flushing = threading.Thread(target=flush)
    # Less than what comes, so that ids wait in Redis.
    parts.sink.script["rcpt"] = lambda _: None if ending.is_set() else Action(delay=0.15)
    with parts.load(clients=2) as load:
        wait_until(lambda: len(load.answers) >= 10, 30)
        failed = load.now()
        flushing.start()
        wait_until(lambda: sum(flushed) >= 3, 30)
        wait_until(lambda: load.now() > failed + 3)
        ending.set()
        flushing.join()
        healed = load.now()
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost()
    longest = figures.lag(parts.mails())
    assert longest <= LAG_SECONDS
    measured(
        f"Redis: flushed {len(flushed)} times in {healed - failed:.1f} s",
        figures.intake(load, failed, healed),
        f"the list was there {sum(flushed)} times; longest lag {longest:.1f} s",
    )


def test_what_was_evicted_is_found_by_the_sweep(
    installation: Callable[..., Installation], measured: Callable[[str, str, str], None]
) -> None:
    parts = installation(redis=True, workers=1)
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 10, 30)
        failed = load.now()
        parts.stop_between_commits(parts.workers[0])
        wait_until(lambda: parts.redis.ask("DBSIZE") == 1, 30)
        waiting = _evict_the_list(parts)
        wait_until(lambda: len(load.since(failed)) >= 5, 30)
        parts.workers[0].send_signal(signal.SIGCONT)
        healed = load.now()
        sent = len(parts.sink.messages)
        wait_until(lambda: len(parts.sink.messages) > sent + waiting, 30)
        parts.redis.ask("CONFIG", "SET", "maxmemory", 0)
        assert parts.readiness()[1]["status"] == "ok"
    assert set(load.statuses) == {201}
    parts.assert_nothing_lost()
    longest = figures.lag(parts.mails())
    assert longest <= LAG_SECONDS
    measured(
        "Redis: evicting",
        figures.intake(load, failed, healed),
        f"{waiting} ids evicted; longest lag {longest:.1f} s",
    )
