"""What one lead costs from the form to both mails: processor, Redis, log and disk of PostgreSQL."""

import asyncio
from contextlib import ExitStack
from typing import Any

import psutil
import psycopg
import redis

from bench.load import post_all
from bench.service import form, request, service, worker
from bench.surroundings import Surroundings, surroundings

LEADS = 1000
CONNECTIONS = 16
_RESUME_BYTES = 20_000
_LIMIT_SECONDS = 120


def run() -> None:
    """Send leads through one `serve` and one `worker` and print what each of them took."""
    with ExitStack() as running:
        around = running.enter_context(surroundings())
        port = running.enter_context(service(**around.settings))
        serving = psutil.Process().children()[-1]
        running.enter_context(worker(**around.settings))
        working = psutil.Process().children()[-1]
        sent = request(port, "/api/v1/leads", form(_RESUME_BYTES))

        def send(leads: int, mails: int) -> None:
            asyncio.run(post_all(port, sent, connections=CONNECTIONS, requests=leads))
            around.sink.wait_for(mails, _LIMIT_SECONDS)

        send(100, 200)
        before = _spent(serving, working, around)
        send(LEADS, 200 + 2 * LEADS)
        after = _spent(serving, working, around)
    print(f"costs: PostgreSQL and Redis, {CONNECTIONS} connections, {LEADS} leads of 20 kB")
    for name, unit in _UNITS.items():
        print(f"  {name:34} {(after[name] - before[name]) / LEADS:9.2f} {unit} a lead")


_UNITS = {
    "processor of serve": "ms",
    "processor of the worker": "ms",
    "commands to Redis": "",
    "syncs of PostgreSQL's log": "",
    "bytes of PostgreSQL's log": "kB",
    "size of the database": "kB",
}


def _spent(
    serving: psutil.Process, working: psutil.Process, around: Surroundings
) -> dict[str, float]:
    with psycopg.connect(around.database_url) as connection:
        asked = (
            "SELECT wal_sync, wal_bytes::float8, pg_database_size(current_database())"
            " FROM pg_stat_wal"
        )
        syncs, log, size = connection.execute(asked).fetchone() or (0, 0.0, 0)
    with redis.Redis.from_url(around.redis_url) as client:
        told: Any = client.info("stats")
    return {
        "processor of serve": _milliseconds(serving),
        "processor of the worker": _milliseconds(working),
        "commands to Redis": told["total_commands_processed"],
        "syncs of PostgreSQL's log": syncs,
        "bytes of PostgreSQL's log": log / 1000,
        "size of the database": size / 1000,
    }


def _milliseconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return (times.user + times.system) * 1000
