"""PostgreSQL goes and comes back: 503 meanwhile, 201 afterwards by itself, and no mail twice.

One `serve`, one `worker`, and a proxy before the database.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from tests.faults.installation import Installation
from tests.faults.load import Load
from tests.faults.outage import Outage
from tests.faults.proxy import BLACK_HOLE, PASS, Proxy
from tests.servers.postgres import PostgresServer
from tests.waiting import wait_until

_LEASE_SECONDS = 15.0
"""Longer than each of these outages but the longest: what was sent meanwhile is recorded."""
_LOCK_WAITS = 4.0
"""So many seconds a statement waits for a lock."""

Measured = Callable[[str, str, str], None]


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[Proxy]:
    with Proxy(make_url(postgres_server.url).port or 0) as proxy:
        yield proxy


@pytest.fixture
def parts(
    installation: Callable[..., Installation], postgres_server: PostgresServer, proxy: Proxy
) -> Installation:
    url = make_url(postgres_server.url).set(port=proxy.port)
    return installation(
        database_url=url.render_as_string(hide_password=False),
        redis=True,
        workers=1,
        waits={"lease": _LEASE_SECONDS},
    )


@contextmanager
def _load(parts: Installation) -> Iterator[Load]:
    """Submit all the time, and begin when mail is under way."""
    with parts.load() as load:
        wait_until(lambda: load.statuses[201] >= 10, 30)
        wait_until(lambda: parts.sink.messages, 30)
        yield load


def _all_is_well(parts: Installation, outage: Outage, *, copies: int = 0) -> str:
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost(copies=copies)
    return f"all SENT {drained:.1f} s after the load, none twice, {outage.seconds:.0f} s away"


def test_leads_are_taken_again_after_postgresql_was_restarted(
    parts: Installation, postgres_server: PostgresServer, measured: Measured
) -> None:
    with _load(parts) as load, Outage(load) as outage:
        postgres_server.stop()
        outage.wait_until_told()
        postgres_server.start()
    outage.assert_told(longest=10)
    measured("PostgreSQL: restarted", f"{outage}", _all_is_well(parts, outage))


def test_leads_are_taken_again_after_postgresql_was_killed(
    parts: Installation, postgres_server: PostgresServer, measured: Measured
) -> None:
    with _load(parts) as load, Outage(load) as outage:
        postgres_server.kill()
        outage.wait_until_told()
        assert parts.readiness()[0] == 503
        postgres_server.start()
    outage.assert_told(longest=10)
    assert parts.readiness()[0] == 200
    measured("PostgreSQL: killed", f"{outage}", _all_is_well(parts, outage))


@pytest.mark.parametrize("way", ["cut", "reset"])
def test_connections_that_break_cost_a_moment(
    parts: Installation, proxy: Proxy, way: str, measured: Measured
) -> None:
    breaks = 0
    with _load(parts) as load, Outage(load) as outage:
        for _ in range(10):
            getattr(proxy, way)()
            breaks += 1
            time.sleep(0.2)
    outage.assert_told(longest=5)
    measured(
        f"PostgreSQL: every connection {way}, {breaks} times",
        f"{outage}",
        _all_is_well(parts, outage),
    )


def test_a_postgresql_that_stands_still_for_a_moment_is_waited_for(
    parts: Installation, proxy: Proxy, measured: Measured
) -> None:
    with _load(parts) as load, Outage(load) as outage:
        proxy.mode = BLACK_HOLE
        time.sleep(6)
        proxy.mode = PASS
    outage.assert_told(longest=9)
    measured("PostgreSQL: stands still for 6 s", f"{outage}", _all_is_well(parts, outage))


@pytest.mark.long
def test_a_postgresql_that_the_network_has_lost_is_noticed_and_found_again(
    parts: Installation, proxy: Proxy, measured: Measured
) -> None:
    with _load(parts) as load, Outage(load) as outage:
        proxy.lose()
        outage.wait_until_told(4, seconds=40)
        proxy.find()
    outage.assert_told(longest=20, settled=6)
    # What was sent before and could not be recorded within its lease is sent once more.
    measured("PostgreSQL: every packet lost", f"{outage}", _all_is_well(parts, outage, copies=4))


@pytest.mark.parametrize("table", ["leads", "deliveries"])
def test_a_table_that_is_locked_for_long_is_told_within_seconds(
    parts: Installation, postgres_server: PostgresServer, table: str, measured: Measured
) -> None:
    other = psycopg.connect(postgres_server.url)
    with other, _load(parts) as load, Outage(load) as outage:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        time.sleep(2.2 * _LOCK_WAITS)
        other.commit()
    outage.assert_told(longest=2 * _LOCK_WAITS + 2)
    assert outage.told
    measured(f"PostgreSQL: {table} locked", f"{outage}", _all_is_well(parts, outage))


@pytest.mark.long
def test_a_pool_that_is_used_up_delays_leads_or_refuses_them(
    parts: Installation, postgres_server: PostgresServer, measured: Measured
) -> None:
    asking = threading.Event()
    asking.set()

    def ask() -> None:
        with httpx.Client(base_url=parts.service.base_url, timeout=30, trust_env=False) as client:
            while asking.is_set():
                client.get("/readyz")

    other = psycopg.connect(postgres_server.url)
    with ThreadPoolExecutor(38) as askers, other, _load(parts) as load, Outage(load) as outage:
        other.execute("LOCK TABLE worker_heartbeats IN ACCESS EXCLUSIVE MODE")
        for _ in range(38):
            askers.submit(ask)
        time.sleep(2.2 * _LOCK_WAITS)
        asking.clear()
        other.commit()
    slowest = max(one.seconds for one in load.since(outage.began))
    assert slowest > 1, "the pool was not used up"
    outage.assert_told(longest=15)
    measured(
        "PostgreSQL: pool used up",
        f"{outage}; {slowest:.1f} s at most",
        _all_is_well(parts, outage),
    )


@pytest.mark.parametrize(
    ("of", "first", "second"),
    [("intake", "resume_chunks", "leads"), ("the worker", "delivery_attempts", "deliveries")],
)
def test_a_deadlock_is_tried_again_and_nobody_notices(
    parts: Installation,
    postgres_server: PostgresServer,
    of: str,
    first: str,
    second: str,
    measured: Measured,
) -> None:
    """Ours holds `second` and waits for `first`, of which the other one has the opposite."""
    with _load(parts) as load, psycopg.connect(postgres_server.url) as other:
        other.execute("SET deadlock_timeout = '20s'")  # so that it is ours that is ended
        other.commit()
        with Outage(load) as outage:
            for _ in range(3):
                other.execute(f"LOCK TABLE {first} IN EXCLUSIVE MODE")
                _wait_until_somebody_waits(postgres_server, first)
                other.execute(f"LOCK TABLE {second} IN EXCLUSIVE MODE")
                other.commit()
    deadlocks = postgres_server.log.count("deadlock detected")
    assert deadlocks >= 3
    outage.assert_told(longest=8)
    assert not outage.told
    measured(f"PostgreSQL: {deadlocks} deadlocks of {of}", f"{outage}", _all_is_well(parts, outage))


def _wait_until_somebody_waits(server: PostgresServer, table: str) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    with psycopg.connect(server.url, autocommit=True) as watching:
        wait_until(lambda: _value(watching, query, table), 20)


def _value(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query, values).fetchone()
    assert row
    return row[0]
