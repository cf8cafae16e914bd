"""Many processes on one PostgreSQL and one Redis, beside one of each."""

import asyncio
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import psycopg

from bench.load import Load, post_all
from bench.service import form, request, service, worker
from bench.surroundings import surroundings

LEADS = 2000
CONNECTIONS = 32
FLEETS = ((1, 1), (4, 8))
"""How many `serve` and how many `worker`."""
_RESUME_BYTES = 20_000
_LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fleet did with the leads: both rates a second, and what must be none."""

    leads: float
    mails: float
    copies: int
    missing: int
    failures: int
    deadlocks: int
    errors: int


def run() -> None:
    """Give each fleet the same leads and print what became of them."""
    print(f"fleet: PostgreSQL and Redis, {LEADS} leads, {CONNECTIONS} connections, all on 2 cores")
    for serves, workers in FLEETS:
        found = _measure(serves, workers)
        print(
            f"  {serves} serve, {workers} worker: {found.leads:6.0f} leads/s"
            f"  {found.mails:6.0f} mails/s while and after they came"
            f"  copies {found.copies}  missing {found.missing}  failures {found.failures}"
            f"  deadlocks {found.deadlocks}  lines of errors {found.errors}"
        )


def _measure(serves: int, workers: int) -> Outcome:
    with ExitStack() as running:
        around = running.enter_context(surroundings())
        sink, errors_file = around.sink, around.folder / "errors"
        errors = running.enter_context(errors_file.open("wb"))
        ports = [
            running.enter_context(service(errors=errors, **around.settings)) for _ in range(serves)
        ]
        for _ in range(workers):
            running.enter_context(worker(errors=errors, **around.settings))
        began = time.perf_counter()
        loads = asyncio.run(_post(ports))
        seconds = time.perf_counter() - began
        with suppress(AssertionError):  # what is missing then is counted below
            sink.wait_for(2 * LEADS, _LIMIT_SECONDS)
        drained = time.perf_counter() - began
        time.sleep(1)  # for copies that are still on their way
        arrived = Counter(mail.message_id for mail in sink.messages)
        return Outcome(
            leads=LEADS / seconds,
            mails=2 * LEADS / drained,
            copies=arrived.total() - len(arrived),
            missing=2 * LEADS - len(arrived),
            failures=sum(load.failures for load in loads),
            deadlocks=_deadlocks(around.database_url),
            errors=len(errors_file.read_text().splitlines()),
        )


async def _post(ports: list[int]) -> list[Load]:
    body, share = form(_RESUME_BYTES), len(ports)
    return await asyncio.gather(
        *(
            post_all(
                port,
                request(port, "/api/v1/leads", body),
                connections=CONNECTIONS // share,
                requests=LEADS // share,
            )
            for port in ports
        )
    )


def _deadlocks(database: str) -> int:
    asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with psycopg.connect(database) as connection:
        row = connection.execute(asked).fetchone()
    assert row is not None
    number: int = row[0]
    return number
