"""How many mails a second one worker sends, beside a loop that only builds and sends them."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

from tests.servers.smtp_sink import SmtpSink

from bench.bare_mails import CONTEXT, KIND
from bench.service import ROOT, mailing_to, service
from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.core.clock import utcnow
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database

MAILS = 2000
RUNS = 3
_LIMIT_SECONDS = 300


def run() -> None:
    """Measure both in turn, several times, and print medians and their ratio."""
    pairs = [(_bare(), _ours()) for _ in range(RUNS)]
    print(f"mails: SQLite, one process, {MAILS} mails, {RUNS} runs")
    for name, rates in (("limit (smtplib)", pairs), ("worker", [pair[::-1] for pair in pairs])):
        own = sorted(pair[0] for pair in rates)
        print(f"  {name:18} {median(own):7.0f}/s  ({own[0]:.0f} to {own[-1]:.0f})")
    ratios = [ours / bare for bare, ours in pairs]
    print(f"  ratio              {median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


def _bare() -> float:
    with SmtpSink() as sink:
        command = [sys.executable, "-m", "bench.bare_mails", str(sink.port), str(MAILS)]
        with subprocess.Popen(command, cwd=ROOT) as process:
            return rate(sink, MAILS, process.wait)


def _ours() -> float:
    with tempfile.TemporaryDirectory() as folder, SmtpSink() as sink:
        url = f"sqlite:///{folder}/notion.db"
        with service(DATABASE_URL=url):
            pass  # makes the tables
        queue(url, MAILS)
        with service(DATABASE_URL=url, **mailing_to(sink)):
            return rate(sink, MAILS, lambda: sink.wait_for(MAILS, _LIMIT_SECONDS))


def queue(url: str, mails: int) -> None:
    """Store so many mails that wait."""
    database = Database(create_database_engine(url))
    with database.writing() as work:
        work.deliveries.insert(
            [
                new_delivery(KIND, f"p{one}@example.com", CONTEXT, now=utcnow())
                for one in range(mails)
            ]
        )
        work.commit()
    database.close()


def rate(sink: SmtpSink, mails: int, wait: Callable[[], object]) -> float:
    """Return mails a second from the first one's arrival to the last one's."""
    while not sink.messages:
        time.sleep(0.001)
    began, already = time.perf_counter(), len(sink.messages)
    wait()
    assert len(sink.messages) == mails
    return (mails - already) / (time.perf_counter() - began)
