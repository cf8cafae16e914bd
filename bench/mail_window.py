"""How long a mail is with the server and not yet recorded: who dies then sends it twice."""

import asyncio
import os
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from tests.servers.smtp_sink import SmtpSink

from bench.load import post_all
from bench.service import form, mailing_to, request, service

LEADS_EACH = 300
SUBMISSIONS_A_SECOND = 20
CONNECTIONS = 8
RESUME_BYTES = 20_000


def run() -> None:
    """Measure at rest, with a steady stream of leads and with as many as there can be."""
    print(f"250 to commit: SQLite in one process, mails of {LEADS_EACH} leads each")
    with tempfile.TemporaryDirectory() as folder, SmtpSink() as sink:
        _tell("a bare commit", [_bare_commit(Path(folder)) for _ in range(LEADS_EACH)])
        with service(
            "tests.crash.process",
            CRASH_FOLDER=folder,
            **mailing_to(sink),
        ) as port:
            sent = request(port, "/api/v1/leads", form(RESUME_BYTES))
            loads = (
                (f"{SUBMISSIONS_A_SECOND} leads a second", _steadily),
                (f"{CONNECTIONS} clients, as fast as it goes", _at_once),
            )
            told = expected = 0
            for name, post in loads:
                post(port, sent)
                expected += 2 * LEADS_EACH
                sink.wait_for(expected, 60)
                time.sleep(1)
                windows = _windows(Path(folder))
                _tell(name, windows[told:])
                told = len(windows)


def _steadily(port: int, sent: bytes) -> None:
    for _ in range(LEADS_EACH):
        began = time.monotonic()
        asyncio.run(post_all(port, sent, connections=1, requests=1))
        time.sleep(max(0.0, 1 / SUBMISSIONS_A_SECOND - (time.monotonic() - began)))


def _at_once(port: int, sent: bytes) -> None:
    asyncio.run(post_all(port, sent, connections=CONNECTIONS, requests=LEADS_EACH))


def _windows(folder: Path) -> list[float]:
    lines = [line for file in folder.glob("windows-*") for line in file.open()]
    return [float(line.split()[1]) for line in lines]


def _bare_commit(folder: Path) -> float:
    connection = sqlite3.connect(folder / "bare.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS mails (words BLOB)")
    began = time.perf_counter()
    connection.execute("INSERT INTO mails VALUES (?)", (os.urandom(200),))
    connection.commit()
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _tell(name: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100)
    print(
        f"  {name:30} p50 {cuts[49] * 1000:6.1f} ms  p99 {cuts[98] * 1000:6.1f} ms"
        f"  most {max(seconds) * 1000:6.0f} ms  of {len(seconds)}"
    )
