"""Durable intake on SQLite against the limit of the machine: same body, syncs and clients."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.load import Load, post_all
from bench.service import form, request, service, started

CONNECTIONS = 16
REQUESTS = 3000
RUNS = 5
RESUME_BYTES = 20_000
_NO_REDIS = "redis://127.0.0.1:1/0"
"""Mails wait in the database: this is about intake alone."""


def run() -> None:
    """Measure both in turn, several times, and print medians and their ratio."""
    ours: list[Load] = []
    limit: list[Load] = []
    with service(REDIS_URL=_NO_REDIS) as port, _bare() as bare:
        body = form(RESUME_BYTES)
        for number in range(RUNS + 1):
            pair = [
                asyncio.run(post_all(at, sent, connections=CONNECTIONS, requests=REQUESTS))
                for at, sent in (
                    (bare, request(bare, "/", body)),
                    (port, request(port, "/api/v1/leads", body)),
                )
            ]
            if number:  # the first pair warms up
                limit.append(pair[0])
                ours.append(pair[1])
    print(f"intake: SQLite, {RESUME_BYTES // 1000} kB, {CONNECTIONS} connections, {RUNS} runs")
    for name, loads in (("limit (bare ASGI)", limit), ("intake", ours)):
        rates = sorted(load.rate for load in loads)
        print(
            f"  {name:18} {median(rates):7.0f}/s  ({rates[0]:.0f} to {rates[-1]:.0f})"
            f"  p50 {median(load.p50 for load in loads):6.1f} ms"
            f"  p99 {median(load.p99 for load in loads):6.1f} ms"
            f"  failures {sum(load.failures for load in loads)}"
        )
    ratios = [mine.rate / bound.rate for mine, bound in zip(ours, limit, strict=True)]
    print(f"  ratio              {median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


@contextmanager
def _bare() -> Iterator[int]:
    command = [sys.executable, "-m", "uvicorn", "bench.bare_intake:app", "--log-level", "warning"]
    with started([*command, "--port"], {"BENCH_DATABASE": "limit.db"}, None) as port:
        yield port
