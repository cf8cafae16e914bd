"""Every process is replaced under load, one by one: nobody is refused, and no mail waits for it."""

import time
from collections import Counter
from collections.abc import Callable

from sqlalchemy import text

from tests.crash.cluster import reading
from tests.crash.loader import Loader
from tests.faults.installation import FaultWorker, Installation
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.servers.postgres import PostgresServer
from tests.waiting import wait_until

_SOON = 10.0
"""A third of a lease: who must wait for its end is found out."""


def test_a_rolling_restart_refuses_nobody_and_keeps_no_mail_waiting(
    installation: Callable[..., Installation],
    postgres_server: PostgresServer,
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(database_url=postgres_server.url, redis=True, services=2, workers=2)
    with Proxy(*(one.port for one in parts.services)) as balancer:
        parts.loader = Loader(parts.ledger, [balancer.port], seed=1)
        with parts.load(clients=6) as load:
            _wait_for_more(load)
            for number, old in enumerate(parts.services):
                new = parts.start_service(f"serve-new-{number}")
                balancer.targets = (*balancer.targets, new.port)
                _wait_for_more(load)
                assert old.stop() == 0
                balancer.targets = tuple(one for one in balancer.targets if one != old.port)
                _wait_for_more(load)
            handed_over = [_replace(parts, number) for number in range(len(parts.workers))]
            _wait_for_more(load)
        assert load.statuses == Counter({201: len(load.answers)})
        leads = parts.assert_nothing_lost(copies=0)
    assert max(handed_over) < _SOON
    measured(
        "rolling restart: 2 serve, 2 workers, PostgreSQL, Redis",
        f"{load.statuses[201]} x 201, nothing else, {leads} leads",
        f"none twice; no lease left {max(handed_over):.1f} s after a stop",
    )


def test_workers_that_are_stopped_leave_no_lease_behind(
    installation: Callable[..., Installation],
    postgres_server: PostgresServer,
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(database_url=postgres_server.url, redis=True, workers=2)
    with parts.load(clients=6) as load:
        wait_until(lambda: len(parts.sink.messages) >= 20, 30)
        for worker in parts.workers:
            assert worker.stop() == 0
        assert parts.count("SENDING") == 0
        sent = len(parts.sink.messages)
        assert parts.count("SENT") == sent
        wait_until(lambda: parts.count("QUEUED") >= 20, 30)
    assert len(parts.sink.messages) == sent
    parts.workers[0].start()
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost()
    measured(
        "both workers stopped by SIGTERM under load",
        f"{load.statuses[201]} x 201",
        f"{sent} SENT at once, none SENDING; the others {drained:.1f} s after the next start",
    )


def _replace(parts: Installation, number: int) -> float:
    """Start a worker, stop the old one; return the seconds until none of its leases is left."""
    new = FaultWorker(parts.folder, name=f"worker-new-{number}", **parts.settings)
    parts.enter_context(new)
    assert parts.workers[number].stop() == 0
    held, stopped = _leases(parts), time.monotonic()
    wait_until(lambda: not held & _leases(parts), 40)
    return time.monotonic() - stopped


def _leases(parts: Installation) -> set[tuple[str, str]]:
    with reading(parts.engine).connect() as connection:
        query = text("SELECT id, lease_token FROM deliveries WHERE status = 'SENDING'")
        return {(str(row.id), str(row.lease_token)) for row in connection.execute(query)}


def _wait_for_more(load: Load) -> None:
    enough = load.statuses[201] + 10
    wait_until(lambda: load.statuses[201] >= enough, 30)
