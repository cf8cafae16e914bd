"""One installation with everything that a lead needs, to be broken and healed."""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from notion_backend.data import sqlite
from notion_backend.data.engine import create_database_engine
from tests.crash import invariants
from tests.crash.cluster import STAFF, reading
from tests.crash.ledger import Ledger
from tests.crash.loader import Loader
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.servers.redis import RedisServer
from tests.servers.service import Service, Worker
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import ADMIN_PASSWORD, SETTINGS
from tests.waiting import wait_until

_MODULE = "tests.faults.process"
_DRAIN_SECONDS = 60.0


class FaultService(Service):
    """`serve` whose waits a test may shorten."""

    module = _MODULE


class FaultWorker(Worker):
    """`worker` whose waits a test may shorten."""

    module = _MODULE


class Installation(ExitStack):
    """`serve` and what it needs, each reached through a proxy; a test breaks what it likes.

    Args:
        folder: for data, logs and the ledger.
        database_url: None for SQLite in `folder/data`.
        redis: with a Redis of its own, at `self.redis` behind `self.redis_proxy`; with a text, that
            is its password.
        sink: the mail server, where it is not one that takes everything.
        services: how many `serve` processes; clients take any, `self.service` is the first.
        workers: how many `worker` processes; with none, `serve` sends by itself. Needs `redis`.
        waits: constants of the product that would take too long, see `tests/faults/process.py`.
        settings: beyond those of every test service.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        redis: bool | str = False,
        sink: SmtpSink | None = None,
        services: int = 1,
        workers: int = 0,
        waits: Mapping[str, float] | None = None,
        **settings: str,
    ) -> None:
        super().__init__()
        self.folder = folder
        self._redis_wanted = redis
        self._given_sink = sink
        self._service_number = services
        self._worker_number = workers
        data = folder / "data"
        self.database_url = database_url or f"sqlite:///{data}/notion.db"
        self.clock = folder / "clock"
        """Seconds by which the wall clock of every process is moved, when the file is there."""
        self.names = folder / "names"
        """Names that every process can resolve too: lines of an address and a name."""
        self.settings: dict[str, str] = {
            **SETTINGS,
            "DATA_DIR": str(data),
            "DATABASE_URL": self.database_url,
            "SMTP_SECURITY": "none",
            "STAFF_EMAILS": ",".join(STAFF),
            "SECRET_KEY": "a key of the fault matrix that is long enough",
            "FAULT_WAITS": json.dumps(dict(waits or {})),
            "FAULT_CLOCK": str(self.clock),
            "FAULT_NAMES": str(self.names),
            **settings,
        }

    def __enter__(self) -> "Installation":
        super().__enter__()
        self.sink = self.enter_context(self._given_sink or SmtpSink())
        self.smtp_proxy = self.enter_context(Proxy(self.sink.port))
        self.settings.setdefault("SMTP_HOST", "127.0.0.1")
        self.settings.setdefault("SMTP_PORT", str(self.smtp_proxy.port))
        if self._redis_wanted:
            self.redis = self.enter_context(RedisServer(self.folder))
            port = urlsplit(self.redis.url).port
            self.redis_proxy = self.enter_context(Proxy(port or 0))
            password = ""
            if isinstance(self._redis_wanted, str):
                self.redis.ask("CONFIG", "SET", "requirepass", self._redis_wanted)
                password = f":{self._redis_wanted}@"
            url = f"redis://{password}127.0.0.1:{self.redis_proxy.port}/0"
            self.settings.setdefault("REDIS_URL", url)
        self.services = [self.start_service(f"serve-{n}") for n in range(self._service_number)]
        self.service = self.services[0]
        self.workers = [
            self.enter_context(FaultWorker(self.folder, name=f"worker-{number}", **self.settings))
            for number in range(self._worker_number)
        ]
        self.ledger = Ledger(self.folder / "ledger.jsonl")
        self.callback(self.ledger.close)
        self.loader = Loader(self.ledger, [one.port for one in self.services], seed=1)
        self.engine = create_database_engine(self.database_url)
        self.callback(self.engine.dispose)
        return self

    def start_service(self, name: str) -> FaultService:
        """Start a `serve` on a port of its own and wait until it answers."""
        return self.enter_context(FaultService(self.folder, name=name, **self.settings))

    def load(self, *, clients: int = 4, pause: float = 0.05) -> Load:
        """Return a load that submits while it is entered."""
        return Load(self.loader, clients=clients, pause=pause)

    def readiness(self) -> tuple[int, Any]:
        """Return status and JSON of `/readyz`."""
        answer = httpx.get(f"{self.service.base_url}/readyz", timeout=10, trust_env=False)
        return answer.status_code, answer.json()

    def move_clock(self, seconds: float) -> None:
        """Let the wall clock of every process be wrong by so much from now on."""
        moved = self.clock.with_suffix(".new")
        moved.write_text(str(seconds))
        moved.rename(self.clock)  # nobody reads half of it

    def stop_between_commits(self, worker: FaultWorker) -> None:
        """Stop a worker where it holds no lock of SQLite: there it would hold up everybody."""
        for _ in range(40):
            worker.send_signal(signal.SIGSTOP)
            wait_until(lambda: _stands_still(worker.pid))  # the signal is not obeyed at once
            if self._can_be_written():
                return
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.3)  # its commit ends
        raise AssertionError("the worker is always within a commit")

    def _can_be_written(self) -> bool:
        if self.engine.dialect.name != "sqlite":
            return True
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("PRAGMA busy_timeout = 1000")
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except sqlite.driver.OperationalError:
            return False
        finally:
            raw.invalidate()
        return True

    def administrator(self) -> httpx.Client:
        """Return a client of the API, signed in."""
        client = httpx.Client(
            base_url=f"{self.service.base_url}/api/v1", timeout=20, trust_env=False
        )
        form = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def mails(self) -> list[dict[str, Any]]:
        """Return every row of the outbox, oldest first."""
        with reading(self.engine).connect() as connection:
            rows = connection.execute(text("SELECT * FROM deliveries ORDER BY id")).mappings()
            return [dict(row) for row in rows]

    def count(self, status: str) -> int:
        """Return how many mails have this status."""
        with reading(self.engine).connect() as connection:
            query = text("SELECT count(*) FROM deliveries WHERE status = :status")
            return int(connection.execute(query, {"status": status}).scalar_one())

    def attempts(self, recipient: str = "%") -> list[dict[str, Any]]:
        """Return every attempt to send, or every one to this address, oldest first."""
        query = text(
            "SELECT a.* FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id "
            "WHERE d.recipient LIKE :recipient ORDER BY a.id"
        )
        with reading(self.engine).connect() as connection:
            rows = connection.execute(query, {"recipient": recipient}).mappings()
            return [dict(row) for row in rows]

    def wait_until_all_sent(self, seconds: float = _DRAIN_SECONDS) -> float:
        """Wait until nothing is QUEUED or SENDING; return the seconds that it took."""
        began = time.monotonic()
        wait_until(lambda: self.count("QUEUED") + self.count("SENDING") == 0, seconds)
        return time.monotonic() - began

    def assert_nothing_lost(self, *, copies: int = 0, unsent: int = 0) -> int:
        """Compare everything, once no mail is under way; return the number of leads.

        What had no 201 is sent again under its key first, as a client does.

        Args:
            copies: how many mails may have arrived twice at most.
            unsent: how many mails must be FAILED or HELD; the others must be SENT.
        """
        threads = [
            threading.Thread(target=self.loader.send, args=(intent,))
            for intent in self.ledger.unanswered(0)
            if intent.key
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.wait_until_all_sent()
        accepted = invariants.Accepted(self.sink.messages)
        accepted.update()
        verdict = invariants.verify(self.engine, self.ledger, accepted, after_lead=0)
        found = [*invariants.lost(self.engine, self.ledger, 0, set())]
        found += invariants.verify_database(self.engine)
        found += invariants.strangers(self.engine, accepted, set())
        stays = [line for line in verdict.violations if line.startswith(("I3:", "I4:"))]
        found += [line for line in verdict.violations if line not in stays]
        failed = self.count("FAILED") + self.count("HELD")
        assert not found, found[:5]
        assert failed == unsent, stays[:5]
        if not unsent:
            assert not stays, stays[:5]
        assert verdict.duplicates <= copies, f"{verdict.duplicates} copies"
        assert not self.loader.refused, self.loader.refused[:3]
        return verdict.leads

    def submit(self, number: int = 1) -> None:
        """Submit so many forms one by one, each of which must be answered with 201."""
        chance = random.Random()
        for _ in range(number):
            answer = self.loader.submit(round_number=0, chance=chance)
            assert answer, "no answer"
            assert answer[0] == 201, answer

    def after(self, seconds: float, do: Callable[[], object]) -> threading.Timer:
        """Do something so many seconds from now, in another thread."""
        timer = threading.Timer(seconds, do)
        timer.start()
        self.callback(timer.cancel)
        return timer


def _stands_still(pid: int) -> bool:
    """Tell whether every thread of a process is stopped."""
    states = [
        task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
        for task in Path(f"/proc/{pid}/task").iterdir()
    ]
    return set(states) == {"T"}
