"""Servers for the tests: real ones, and each test finds them empty."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import httpx
import hypothesis
import pytest
from pymysql.connections import Connection

from tests.servers import redis
from tests.servers.commands import close_nursery
from tests.servers.databases import Databases
from tests.servers.parts import PARTS, is_here
from tests.servers.plan import Plan, everything_is_required
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.service import Service, Worker

PLAN = Plan.of(os.environ)
_HERE = Path(__file__).parent
_COVERING = ("application/", "data/", "presentation/test_pages_")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(part): runs where {' or '.join(PARTS)} is installed")
    config.addinivalue_line("markers", "long: takes half a minute: begins before the others")
    # How long an example takes is the machine's affair.
    hypothesis.settings.register_profile("tests", deadline=None)
    hypothesis.settings.load_profile("tests")
    if PLAN.missing and everything_is_required(os.environ):
        raise pytest.UsageError(f"REQUIRE_ALL is set, and not here: {', '.join(PLAN.missing)}")


def pytest_report_header() -> list[str]:
    return PLAN.summary()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each of the processes that share the tests something dear to begin with.

    Each begins with an equal part, in order, and then takes over from the ends of the others. So
    long tests come first in some part, and after them the files that start a browser, each of them
    whole: it would be started anew by every process that takes over a test of such a file.
    """
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    browsing: list[list[pytest.Item]] = [[] for _ in range(shares)]
    for file in _browser_files(item for item in items if item not in long):
        min(browsing, key=len).extend(file)
    dear = {*long, *(item for share in browsing for item in share)}
    others = iter([item for item in items if item not in dear])
    ordered: list[pytest.Item] = []
    for share in range(shares):
        ordered += long[share::shares] + browsing[share]
        ordered += islice(others, max(0, (share + 1) * len(items) // shares - len(ordered)))
    items[:] = [*ordered, *others]


def _browser_files(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item.path.is_relative_to(_HERE / "browser"):
            files.setdefault(item.path, []).append(item)
    return sorted(files.values(), key=len, reverse=True)


def pytest_sessionfinish() -> None:
    close_nursery()


def pytest_runtest_setup(item: pytest.Item) -> None:
    _watch_coverage(item)
    for marker in item.iter_markers("needs"):
        for part in marker.args:
            if not is_here(part):
                pytest.skip(f"{part} is not on this machine")


def _watch_coverage(item: pytest.Item) -> None:
    """Watch coverage where tests call the code that must be covered.

    Elsewhere it would see nothing and take its time. Turning it on or off takes time too, which is
    why it is done between files and not, as with `no_cover`, around each test.
    """
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if controller is None:
        return
    wanted = item.path.relative_to(_HERE).as_posix().startswith(_COVERING)
    if wanted and not controller.started:
        controller.resume()
    elif controller.started and not wanted:
        controller.pause()


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Spare each HTTP client and each connection to MariaDB the 25 ms of reading them."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(httpx.create_ssl_context)
        patch.setattr("httpx._transports.default.create_ssl_context", once)
        context = Connection._create_ssl_ctx(None, {})
        patch.setattr(Connection, "_create_ssl_ctx", lambda _, given: given or context)
        yield


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """The sources of databases by kind; their servers start when a test first asks."""
    with Databases(PLAN.databases, tmp_path_factory.mktemp("databases")) as sources:
        yield sources


@pytest.fixture(params=list(PLAN.databases))
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The URL of a migrated, empty database, on each kind of database in turn.

    A test for some kinds only says so:
    `@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)`.
    """
    with databases.of(request.param).migrated() as url:
        yield url


@pytest.fixture(params=list(PLAN.databases))
def bare_database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The URL of a database without a table, on each kind in turn; for tests of the migrations."""
    with databases.of(request.param).bare() as url:
        yield url


@pytest.fixture
def sqlite_url(databases: Databases) -> Iterator[str]:
    """The URL of a migrated, empty SQLite database."""
    with databases.of("sqlite").migrated() as url:
        yield url


@pytest.fixture(scope="session")
def shared_redis_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The Redis of this test process; tests take `redis_url`, which is emptied."""
    if PLAN.redis_url:
        # Workers that run side by side share the server, not a database of it.
        yield redis.with_database(PLAN.redis_url, _worker_number(worker_id))
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def redis_url(shared_redis_url: str) -> str:
    """The URL of an empty Redis."""
    redis.empty(shared_redis_url)
    return shared_redis_url


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test's own, to be stopped, killed and started again."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, to be stopped, killed and started again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start `notion-backend serve` with these options and settings and wait until it answers.

    All processes of one test share `tmp_path / "service"`; they are stopped at its end.
    """
    with ExitStack() as running:
        yield lambda *options, **settings: running.enter_context(
            Service(tmp_path / "service", *options, **settings)
        )


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start `notion-backend worker` with these options and settings; as `start_service`."""
    with ExitStack() as running:
        yield lambda *options, **settings: running.enter_context(
            Worker(tmp_path / "service", *options, **settings)
        )


def _worker_number(worker_id: str) -> int:
    return 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
