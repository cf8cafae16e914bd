"""A list of 50 leads beside a bare handler that runs the same SQL and writes JSON."""

import asyncio
import sys
import tempfile
from statistics import median

from bench.filling import fill
from bench.load import Load, post_all
from bench.reading import SETTINGS, Reader
from bench.service import service, started

CONNECTIONS = 4
REQUESTS = 1000
RUNS = 5
LEADS = 10_000


def run() -> None:
    """Measure both in turn, several times, and print medians and their ratio."""
    loads: tuple[list[Load], list[Load]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/leads.db"
        fill(f"sqlite:///{file}", LEADS)
        bare = [sys.executable, "-m", "uvicorn", "bench.bare_list:app", "--log-level", "warning"]
        with (
            service(DATABASE_URL=f"sqlite:///{file}", **SETTINGS) as port,
            started([*bare, "--port"], {"BENCH_DATABASE": file}, None) as limit,
        ):
            header = Reader(port).authorization
            for number in range(RUNS + 1):
                for at, of_one in ((limit, loads[0]), (port, loads[1])):
                    request = (
                        f"GET /api/v1/leads HTTP/1.1\r\nHost: 127.0.0.1:{at}\r\n"
                        f"Authorization: {header}\r\n\r\n"
                    )
                    load = asyncio.run(
                        post_all(
                            at,
                            request.encode(),
                            connections=CONNECTIONS,
                            requests=REQUESTS,
                            expected=200,
                        )
                    )
                    if number:  # the first pair warms up
                        of_one.append(load)
    print(f"list: SQLite, 50 of {LEADS:,} leads, {CONNECTIONS} connections, {RUNS} runs")
    for name, of_one in zip(("limit (bare ASGI)", "list"), loads, strict=True):
        print(
            f"  {name:18} {median(load.rate for load in of_one):7.0f}/s"
            f"  p50 {median(load.p50 for load in of_one):6.1f} ms"
            f"  p99 {median(load.p99 for load in of_one):6.1f} ms"
            f"  failures {sum(load.failures for load in of_one)}"
        )
    ratios = [mine.rate / bound.rate for bound, mine in zip(*loads, strict=True)]
    print(f"  ratio              {median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")
