"""Intake while Redis takes connections and answers nothing, beside intake while it answers."""

import asyncio
import tempfile
from pathlib import Path
from statistics import median

from tests.faults.proxy import BLACK_HOLE, PASS, Proxy
from tests.servers.redis import RedisServer

from bench.load import Load, post_all
from bench.service import form, request, service

CONNECTIONS = 8
REQUESTS = 1000
RUNS = 5
RESUME_BYTES = 20_000


def run() -> None:
    """Measure both in turn at one service, several times, and print medians and their ratio."""
    loads: dict[str, list[Load]] = {PASS: [], BLACK_HOLE: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder)) as redis,
        Proxy(redis.port) as proxy,
        service(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0") as port,
    ):
        sent = request(port, "/api/v1/leads", form(RESUME_BYTES))
        for number in range(RUNS + 1):
            for mode, of_mode in loads.items():
                proxy.mode = mode
                load = asyncio.run(post_all(port, sent, connections=CONNECTIONS, requests=REQUESTS))
                if number:  # the first pair warms up
                    of_mode.append(load)
    print(f"silent Redis: SQLite, {CONNECTIONS} connections, {RUNS} runs of {REQUESTS} each")
    for name, mode in (("Redis answers", PASS), ("Redis is silent", BLACK_HOLE)):
        p95 = sorted(load.p95 for load in loads[mode])
        print(
            f"  {name:18} p95 {median(p95):6.1f} ms  ({p95[0]:.1f} to {p95[-1]:.1f})"
            f"  {median(load.rate for load in loads[mode]):6.0f}/s"
            f"  failures {sum(load.failures for load in loads[mode])}"
        )
    pairs = zip(loads[PASS], loads[BLACK_HOLE], strict=True)
    ratios = [silent.p95 / answering.p95 for answering, silent in pairs]
    print(f"  ratio              {median(ratios):10.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")
