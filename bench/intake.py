"""Durable intake beside a reference that has the same bodies, syncs and clients."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from tests.servers.databases import ServerDatabases

from bench.load import Load, post_all
from bench.service import NO_REDIS, form, request, service, started
from bench.surroundings import POSTGRESQL

RUNS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, and how."""

    title: str
    reference: str
    resume_bytes: int
    connections: int
    requests: int


def run() -> None:
    """SQLite against the limit of the machine: bare ASGI, no parsing, a transaction a request."""
    case = Case("SQLite, 20 kB", "limit (bare ASGI)", 20_000, 16, 3000)
    _on_sqlite(case)


def run_large() -> None:
    """The same with résumés of a megabyte."""
    _on_sqlite(Case("SQLite, 1 MB", "limit (bare ASGI)", 1_000_000, 16, 300))


def run_postgresql() -> None:
    """PostgreSQL against the ordinary way to write such an endpoint, on the same server."""
    for connections in (16, 64):
        case = Case("PostgreSQL, 20 kB", "the ordinary way", 20_000, connections, 1500)
        with ExitStack() as running:
            server = running.enter_context(ServerDatabases(POSTGRESQL))
            mine, ordinary = (running.enter_context(server.bare()) for _ in range(2))
            port = running.enter_context(service(DATABASE_URL=mine, REDIS_URL=NO_REDIS))
            beside = running.enter_context(_served("bench.ordinary_intake:app", ordinary))
            _compare(case, (beside, "/"), (port, "/api/v1/leads"))


def _on_sqlite(case: Case) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        service(REDIS_URL=NO_REDIS) as port,
        _served("bench.bare_intake:app", f"{folder}/limit.db") as bare,
    ):
        _compare(case, (bare, "/"), (port, "/api/v1/leads"))


def _compare(case: Case, reference: tuple[int, str], own: tuple[int, str]) -> None:
    """Measure both in turn, several times, and print medians and their ratio."""
    body = form(case.resume_bytes)
    loads: tuple[list[Load], list[Load]] = ([], [])
    for number in range(RUNS + 1):
        for (port, path), of_one in zip((reference, own), loads, strict=True):
            load = asyncio.run(
                post_all(
                    port,
                    request(port, path, body),
                    connections=case.connections,
                    requests=case.requests,
                )
            )
            if number:  # the first pair warms up
                of_one.append(load)
    print(f"intake: {case.title}, {case.connections} connections, {RUNS} runs")
    for name, of_one in zip((case.reference, "intake"), loads, strict=True):
        rates = sorted(load.rate for load in of_one)
        print(
            f"  {name:18} {median(rates):7.0f}/s  ({rates[0]:.0f} to {rates[-1]:.0f})"
            f"  p50 {median(load.p50 for load in of_one):6.1f} ms"
            f"  p99 {median(load.p99 for load in of_one):6.1f} ms"
            f"  failures {sum(load.failures for load in of_one)}"
        )
    ratios = [mine.rate / bound.rate for bound, mine in zip(*loads, strict=True)]
    print(f"  ratio              {median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


@contextmanager
def _served(application: str, database: str) -> Iterator[int]:
    command = [sys.executable, "-m", "uvicorn", application, "--log-level", "warning", "--port"]
    with started(command, {"BENCH_DATABASE": database}, None) as port:
        yield port
