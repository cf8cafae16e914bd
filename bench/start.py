"""How long a start takes until `/healthz` answers, and what memory one process has at rest."""

import tempfile
import time
from statistics import median

import psutil

from bench.service import service

RUNS = 5
_REST_SECONDS = 3


def run() -> None:
    """Start once to make the database, then several times on it."""
    seconds, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/notion.db"
        with service(DATABASE_URL=url):
            pass
        for _ in range(RUNS):
            began = time.perf_counter()
            with service(DATABASE_URL=url):
                seconds.append(time.perf_counter() - began)
                time.sleep(_REST_SECONDS)
                [process] = psutil.Process().children()
                memory.append(process.memory_info().rss / 1e6)
    print(f"start: SQLite, everything in one process, on a database that is there, {RUNS} runs")
    print(f"  to /healthz  {median(seconds):6.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})")
    print(f"  at rest      {median(memory):6.1f} MB  ({min(memory):.1f} to {max(memory):.1f})")
