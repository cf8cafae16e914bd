"""Leases are taken away at random while eight workers send: who lost one stops at the last check.

EXPIRY_MAILS says how many mails there are, 120 if it is not set.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Delivery
from notion_backend.data.unit_of_work import Database
from tests.servers.service import Worker
from tests.servers.smtp_sink import Action, SmtpSink
from tests.service.client import SETTINGS
from tests.waiting import wait_until

MAILS = int(os.environ.get("EXPIRY_MAILS", "120"))
WORKERS = 8
_MOST_LOSSES = 2
"""A mail that loses its lease in an exchange three times is taken for one that kills workers."""
_SLOWEST_ANSWER = 0.03
_CONTEXT = {"first_name": "Zoë", "last_name": "Ångström", "reference": "REF123"}


class WatchedWorker(Worker):
    """`worker` that writes down which exchanges were past the lease check."""

    module = "tests.faults.expiry_process"


@pytest.mark.parametrize("losing", [False, True], ids=["leases stand", "leases expire"])
def test_a_mail_is_sent_twice_only_by_who_lost_its_lease_behind_the_last_check(
    tmp_path: Path,
    database_url: str,
    measured: Callable[[str, str, str], None],
    losing: bool,
) -> None:
    database = Database(create_database_engine(database_url))
    with SmtpSink() as sink, ExitStack() as running:
        running.callback(database.close)
        sink.script["dot"] = lambda _: Action(delay=random.uniform(0, _SLOWEST_ANSWER))
        workers = [
            WatchedWorker(
                tmp_path,
                name=f"worker-{number}",
                **SETTINGS,
                DATABASE_URL=database_url,
                SECRET_KEY="a key of the fault matrix that is long enough",
                SMTP_HOST=sink.host,
                SMTP_PORT=str(sink.port),
                SMTP_SECURITY="none",
                EXPIRY_FOLDER=str(tmp_path),
            )
            for number in range(WORKERS)
        ]
        for worker in workers:
            running.enter_context(worker)
        began = time.monotonic()
        queue_mails(database, MAILS)
        with leases_expiring(database) if losing else ExitStack() as taken:
            wait_until(lambda: unsent(database) == 0, 60 + MAILS / 10)
        seconds = time.monotonic() - began
        statuses = {worker.stop() for worker in workers}

    assert statuses == {0}
    lines = Counter(
        line for file in tmp_path.glob("exchanges-*") for line in file.read_text().splitlines()
    )
    arrived = Counter(message.message_id.strip("<>").partition("@")[0] for message in sink.messages)
    late = {one: lines[f"late {one}"] for one in arrived}
    assert len(arrived) == MAILS
    assert all(lines[f"passed {one}"] >= number for one, number in arrived.items())
    assert all(number - 1 <= late[one] for one, number in arrived.items())
    copies, lost = sum(arrived.values()) - MAILS, taken if losing else Counter()
    if not losing:
        assert copies == 0
    measured(
        f"{database_url.partition(':')[0]}, {WORKERS} workers: "
        + (f"{sum(lost.values())} leases taken away" if losing else "all leases stand"),
        f"{MAILS} mails in {seconds:.0f} s",
        f"{copies} copies, {sum(late.values())} exchanges past the check lost their lease",
    )


def queue_mails(database: Database, number: int) -> None:
    with database.writing() as work:
        work.deliveries.insert(
            [
                new_delivery(
                    DeliveryKind.PROSPECT_CONFIRMATION,
                    f"p{one}@example.com",
                    _CONTEXT,
                    now=utcnow(),
                )
                for one in range(number)
            ]
        )
        work.commit()


def unsent(database: Database) -> int:
    with database.reading() as work:
        counts = work.deliveries.counts()
    return counts.get(DeliveryStatus.QUEUED, 0) + counts.get(DeliveryStatus.SENDING, 0)


@contextmanager
def leases_expiring(database: Database) -> Iterator[Counter[object]]:
    """Let random leases run out all the time; count them by mail."""
    taken: Counter[object] = Counter()
    done = threading.Event()

    def take_some() -> None:
        while not done.wait(0.01):
            with database.engine.connect() as connection:
                held = connection.scalars(
                    select(Delivery.id).where(Delivery.status == DeliveryStatus.SENDING)
                ).all()
            chosen = [one for one in held if taken[one] < _MOST_LOSSES and random.random() < 0.1]
            for one in chosen:
                with database.engine.begin() as connection:
                    expired = connection.execute(
                        update(Delivery)
                        .where(Delivery.id == one, Delivery.status == DeliveryStatus.SENDING)
                        .values(lease_expires_at=utcnow() - timedelta(seconds=1))
                    )
                taken[one] += expired.rowcount

    thread = threading.Thread(target=take_some)
    thread.start()
    try:
        yield taken
    finally:
        done.set()
        thread.join()
