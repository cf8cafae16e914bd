"""How each figure grows with the table: a thousand leads to a million, as a table and a plot.

BENCH_LEADS names other numbers, and BENCH_PLOT the SVG file to write.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from urllib.parse import quote

from tests.servers.smtp_sink import SmtpSink

from bench.filling import fill
from bench.load import post_all
from bench.mails import queue, rate
from bench.plot import draw
from bench.reading import SETTINGS, Reader, a_part, timed
from bench.service import NO_REDIS, form, mailing_to, request, service

SIZES = tuple(
    int(size) for size in os.environ.get("BENCH_LEADS", "1000,10000,100000,1000000").split(",")
)
PLOT = os.environ.get("BENCH_PLOT", "")
RUNS = 3
_READS, _SUBMISSIONS, _MAILS = 200, 1000, 1000
_CONNECTIONS = 16
_RESUME_BYTES = 20_000
_LIMIT_SECONDS = 120
_UNITS = {
    "intake": "leads a second",
    "list of 50": "p50 in ms",
    "search": "p50 in ms",
    "mails": "sent a second",
}


def run() -> None:
    """Print a line for each figure and a column for each size; draw them where BENCH_PLOT says."""
    found: dict[str, list[float]] = {name: [] for name in _UNITS}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/leads.db"
            fill(url, size)
            for name, value in _measure(url, size).items():
                found[name].append(value)
    print(f"growth: SQLite, medians of {RUNS} runs")
    print(f"  {'leads':28}" + "".join(f"{size:>12,}" for size in SIZES) + "   last / first")
    for name, values in found.items():
        columns = "".join(f"{value:12.1f}" for value in values)
        print(f"  {f'{name}, {_UNITS[name]}':28}{columns}{values[-1] / values[0]:15.2f}")
    if PLOT:
        titles = {f"{name}, {_UNITS[name]}": values for name, values in found.items()}
        Path(PLOT).write_text(draw(SIZES, titles), encoding="utf-8")


def _measure(url: str, size: int) -> Mapping[str, float]:
    # First, for those of the leads below wait for a worker that never comes.
    mails = [_drain(url) for _ in range(RUNS)]
    with service(DATABASE_URL=url, REDIS_URL=NO_REDIS, **SETTINGS) as port:
        reader, chance = Reader(port), random.Random(size)
        sent = request(port, "/api/v1/leads", form(_RESUME_BYTES))
        paths: Sequence[Callable[[], str]] = (
            lambda: "/leads",
            lambda: f"/leads?q={quote(a_part(chance))}",
        )
        reads = [
            median(timed(lambda path=path: reader.get(path()), _READS)) * 1000 for path in paths
        ]
        intake = [asyncio.run(_submit(port, sent)) for _ in range(RUNS + 1)][1:]
    return dict(zip(_UNITS, (median(intake), *reads, median(mails)), strict=True))


async def _submit(port: int, sent: bytes) -> float:
    load = await post_all(port, sent, connections=_CONNECTIONS, requests=_SUBMISSIONS)
    return load.rate


def _drain(url: str) -> float:
    """Return how many mails a second leave a queue that is full when the service starts."""
    queue(url, _MAILS)
    with SmtpSink() as sink, service(DATABASE_URL=url, **mailing_to(sink), **SETTINGS):
        return rate(sink, _MAILS, lambda: sink.wait_for(_MAILS, _LIMIT_SECONDS))
