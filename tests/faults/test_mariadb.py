"""MariaDB goes and comes back: 503 meanwhile, 201 afterwards by itself, and no mail twice."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import make_url

from tests.faults.installation import Installation
from tests.faults.outage import Outage
from tests.faults.proxy import Proxy
from tests.servers.mariadb import MariaDbServer
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("mariadb")

_LEASE_SECONDS = 25.0
"""Longer than it is away, so that what was sent meanwhile is recorded."""


@pytest.fixture
def mariadb_server() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


@pytest.mark.long
def test_a_mariadb_that_the_network_has_lost_is_noticed_and_found_again(
    installation: Callable[..., Installation],
    mariadb_server: MariaDbServer,
    measured: Callable[[str, str, str], None],
) -> None:
    url = make_url(mariadb_server.url)
    with Proxy(url.port or 0) as proxy:
        parts = installation(
            database_url=url.set(port=proxy.port).render_as_string(hide_password=False),
            redis=True,
            workers=1,
            waits={"lease": _LEASE_SECONDS},
        )
        with parts.load() as load:
            wait_until(lambda: load.statuses[201] >= 10, 30)
            wait_until(lambda: parts.sink.messages, 30)
            with Outage(load) as outage:
                proxy.lose()
                outage.wait_until_told(4, seconds=40)
                proxy.find()
        outage.assert_told(longest=20, settled=6)
        drained = parts.wait_until_all_sent()
        # What was sent before and could not be recorded within its lease is sent once more.
        parts.assert_nothing_lost(copies=4)
    measured(
        "MariaDB: every packet lost",
        f"{outage}",
        f"all SENT {drained:.1f} s after the load, {outage.seconds:.0f} s away",
    )


@pytest.mark.long
@pytest.mark.parametrize("way", ["stop", "kill"])
def test_leads_are_taken_again_after_mariadb_was_away(
    installation: Callable[..., Installation],
    mariadb_server: MariaDbServer,
    way: str,
    measured: Callable[[str, str, str], None],
) -> None:
    parts = installation(
        database_url=mariadb_server.url, redis=True, workers=1, waits={"lease": _LEASE_SECONDS}
    )
    with parts.load() as load:
        wait_until(lambda: load.statuses[201] >= 10, 30)
        wait_until(lambda: parts.sink.messages, 30)
        with Outage(load) as outage:
            getattr(mariadb_server, way)()
            outage.wait_until_told()
            assert parts.readiness()[0] == 503
            mariadb_server.start()
    outage.assert_told(longest=10)
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost()
    measured(
        f"MariaDB: {way} and start",
        f"{outage}",
        f"all SENT {drained:.1f} s after the load, none twice, {outage.seconds:.0f} s away",
    )
