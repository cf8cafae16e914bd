"""The processes of one installation, to be killed and started again."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
from sqlalchemy import Engine

from notion_backend.data.engine import create_database_engine
from tests.crash import fail_points
from tests.servers.commands import start_command
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerProcess
from tests.servers.redis import RedisServer
from tests.servers.service import Service, Worker
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import ADMIN_PASSWORD, SETTINGS
from tests.waiting import wait_until

STAFF = ("desk@firm.example", "boss@firm.example")
SENDERS = 4
"""Parallel senders of a worker, as the product has it."""
MODES = ("sqlite", "sqlite-redis", "postgresql")
READY_SECONDS = 5.0
MODULE = "tests.crash.process"


class CrashService(Service):
    """`serve` with fail points."""

    module = MODULE


class CrashWorker(Worker):
    """`worker` with fail points."""

    module = MODULE


class Cluster(ExitStack):
    """Everything that one mode runs; `processes` are those that may be killed, by name."""

    def __init__(self, mode: str, folder: Path, bug: str | None = None) -> None:
        super().__init__()
        self.mode = mode
        self.folder = folder
        self.points = folder / "points"
        self.points.mkdir(parents=True)
        self.journal = folder / "sink.jsonl"
        self._bug = bug
        self.processes: dict[str, ServerProcess] = {}

    def __enter__(self) -> "Cluster":
        super().__enter__()
        self.sink = self.enter_context(SmtpSink(journal=self.journal))
        settings = self._settings()
        data = str(self.folder / "data")
        if self.mode == "postgresql":
            server = self.enter_context(PostgresServer())
            settings["DATABASE_URL"] = server.url
            self.processes["postgresql"] = server
        if self.mode != "sqlite":
            redis = self.enter_context(RedisServer(self.folder))
            settings["REDIS_URL"] = redis.url
            self.processes["redis"] = redis
        self.database_url = settings.get("DATABASE_URL", f"sqlite:///{data}/notion.db")
        self.settings = settings | {"DATA_DIR": data}
        self.services: list[CrashService] = []
        for number in range(2 if self.mode == "postgresql" else 1):
            service = CrashService(self.folder, name=f"serve-{number}", **self.settings)
            self.services.append(self.enter_context(service))
            self.processes[f"serve-{number}"] = service
        for number in range(0 if self.mode == "sqlite" else 2):
            worker = CrashWorker(self.folder, name=f"worker-{number}", **self.settings)
            self.processes[f"worker-{number}"] = self.enter_context(worker)
        self.engine = create_database_engine(self.database_url)
        self.callback(self.engine.dispose)
        self.wait_until_ready()
        return self

    def fail_points(self) -> tuple[str, ...]:
        """Return the points whose feature this mode has."""
        points = fail_points.INTAKE + fail_points.MAIL + fail_points.ASIDE
        if self.mode == "postgresql":
            return points + fail_points.RING
        return points + fail_points.BACKUP + (fail_points.RING if self.mode != "sqlite" else ())

    @property
    def delivering(self) -> set[str]:
        """Return which processes send mail."""
        return {name for name in self.processes if name.startswith(self._sender)}

    @property
    def _sender(self) -> str:
        return "serve" if self.mode == "sqlite" else "worker"

    def kill(self, names: Sequence[str]) -> None:
        """Kill these, all signals before the first wait."""
        for name in names:
            process = self.processes[name]
            if isinstance(process, PostgresServer):
                process.kill()  # with its children, which hold the memory that it shares
            elif process.is_running():
                process.send_signal(signal.SIGKILL)
        for name in names:
            self.processes[name].kill()

    def dead(self) -> list[str]:
        """Return which do not run."""
        return [name for name, process in self.processes.items() if not process.is_running()]

    def restart(self) -> float:
        """Start what is dead, ours after what it needs; return the seconds until ours is ready."""
        ours = [name for name in self.dead() if name.startswith(("serve", "worker"))]
        for name in self.dead():
            if name not in ours:
                self.processes[name].start()
        started = time.monotonic()
        with ThreadPoolExecutor(len(self.processes)) as starting:
            list(starting.map(lambda name: self.processes[name].start(), ours))
        self.wait_until_ready()
        return time.monotonic() - started

    def wait_until_ready(self) -> None:
        """Wait until every service says that it can take leads."""
        for service in self.services:
            wait_until(lambda service=service: _is_ready(service.base_url), 30)

    def command(self, *arguments: str, **settings: str) -> int:
        """Run a command with fail points to its end and return its exit status."""
        with (self.folder / "commands.log").open("ab") as log, Path(os.devnull).open("rb") as none:
            process = start_command(
                arguments,
                module=MODULE,
                folder=self.folder,
                environment=self.services[0]._settings | settings,
                streams=(none, log, log),
            )
        return process.wait(60)

    def _settings(self) -> dict[str, str]:
        settings: Mapping[str, str] = {
            "SMTP_HOST": self.sink.host,
            "SMTP_PORT": str(self.sink.port),
            "SMTP_SECURITY": "none",
            "STAFF_EMAILS": ",".join(STAFF),
            "SECRET_KEY": "a key of the crash harness that is long enough",
            "CRASH_FOLDER": str(self.points),
        }
        bug = {"CRASH_BUG": self._bug} if self._bug else {}
        return {**SETTINGS, **settings, **bug}

    def administrator(self) -> httpx.Client:
        """Sign in as the administrator at the first service."""
        base = f"{self.services[0].base_url}/api/v1"
        client = httpx.Client(base_url=base, timeout=20, trust_env=False)
        form = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client


def reading(engine: Engine) -> Engine:
    """Return the engine for reads that take no lock."""
    return engine.execution_options(read_only=True)


def _is_ready(base_url: str) -> bool:
    try:
        answer = httpx.get(f"{base_url}/readyz", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
