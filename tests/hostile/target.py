"""The service under attack: what is sent to it, and what must be unharmed afterwards."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import MIMEPart
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import Engine, inspect

from notion_backend.data.engine import create_database_engine
from tests.hostile.forms import CONTENT_TYPE, PDF, Value, file_part, form, person
from tests.hostile.raw_http import Answer, exchange, request
from tests.servers.service import Service
from tests.service.client import ADMIN_PASSWORD
from tests.waiting import wait_until

SECRET_KEY = "a key of the hostile tests that is long enough"
STAFF_PASSWORD = "seven quiet ferries at dawn"
MEBIBYTE = 1024 * 1024
_SHORTEST_TRACE = 6
_LONGEST_LINE = 16 * 1024
# The same work takes more of a core while its neighbour is busy; what is caught takes far longer.
_BUSY_MACHINE = 3
_WAITING = "SELECT count(*) FROM deliveries WHERE status IN ('QUEUED', 'SENDING')"
_NOT_COMPARED = {"worker_heartbeats", "alembic_version"}


class Target:
    """One bare service with an administrator `admin` and a colleague `staff`."""

    def __init__(
        self, folder: Path, database_url: str, made: type[Service] = Service, **settings: str
    ) -> None:
        self.temporary_folder = folder / "temporary"
        self.temporary_folder.mkdir(parents=True)
        self.database_url = database_url
        self.service = made(
            folder,
            DATABASE_URL=database_url,
            TMPDIR=str(self.temporary_folder),
            LOG_FORMAT="json",
            SECRET_KEY=SECRET_KEY,
            ADMIN_PASSWORD=ADMIN_PASSWORD,
            **settings,
        )
        self.http = self.client()
        self.traces: list[str] = []
        """Texts that were sent and must not be in the log."""
        self.console_cookies: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._read: set[Path] = set()

    def prepare(self) -> None:
        """Add the colleague."""
        colleague = {"username": "staff", "email": "s@example.com", "password": STAFF_PASSWORD}
        assert self.api("POST", "/users", json=colleague).status_code == 201

    def client(self, **cookies: str) -> httpx.Client:
        """Open a client of its own."""
        # Reading the certificates of the machine would take longer than most tests.
        return httpx.Client(
            base_url=self.service.base_url,
            cookies=cookies,
            timeout=30,
            trust_env=False,
            verify=False,
        )

    def send(self, data: bytes | Iterable[bytes], **options: Any) -> Answer:
        """Send bytes; see `exchange`."""
        return exchange(self.service.port, data, **options)

    def post_form(self, body: bytes, *headers: str, path: str = "/api/v1/leads") -> Answer:
        """Send a body to the public form."""
        lines = [line for line in (CONTENT_TYPE, *headers) if line]
        if any(line.lower().startswith("content-type") for line in headers):
            lines.remove(CONTENT_TYPE)
        return self.send(request("POST", path, *lines, body=body))

    def submit(
        self, filename: Value = "resume.pdf", content: bytes = PDF, *headers: str, **fields: Value
    ) -> Answer:
        """Send the form; what is in it must not come up in the log."""
        self.remember(*fields.values())
        return self.post_form(form(person(**fields), file_part(filename, content)), *headers)

    def accepted(self, *arguments: Any, **fields: Value) -> dict[str, Any]:
        """Send the form, which must be taken, and return the lead."""
        answer = self.submit(*arguments, **fields)
        assert answer.status == 201, answer.text
        reference = json.loads(answer.body)["reference"]
        leads = self.api("GET", "/leads?limit=5").json()["items"]
        return next(lead for lead in leads if lead["reference"] == reference)

    def remember(self, *values: Value) -> None:
        """Keep what must not come up in the log."""
        for value in values:
            sent = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            if len(sent) >= _SHORTEST_TRACE:
                self.traces.append(sent[:200])

    def api(self, method: str, path: str, *, user: str = "admin", **options: Any) -> httpx.Response:
        """Call the API as `admin` or `staff`."""
        headers = {"Authorization": f"Bearer {self.token(user)}"} | options.pop("headers", {})
        return self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    def token(self, user: str = "admin") -> str:
        """Return the access token that is used for all calls of this user."""
        if user not in self._tokens:
            password = ADMIN_PASSWORD if user == "admin" else STAFF_PASSWORD
            self._tokens[user] = self.sign_in(user, password).json()["access_token"]
        return self._tokens[user]

    def sign_in(self, user: str, password: str, **headers: str) -> httpx.Response:
        """Ask for tokens."""
        form = {"grant_type": "password", "username": user, "password": password}
        return self.http.post("/api/v1/auth/token", data=form, headers=headers)

    def new_user(self, name: str, role: str = "staff") -> dict[str, Any]:
        """Create a user with the password of `staff`."""
        user = {"username": name, "email": f"{name}@example.com", "role": role}
        answer = self.api("POST", "/users", json=user | {"password": STAFF_PASSWORD})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def new_mails(self) -> list[tuple[str, str]]:
        """Wait until no mail is waiting; return text and HTML of those not returned before."""
        self.wait_for_mails()
        new = set((self.service.data_dir / "mail").glob("*.eml")) - self._read
        self._read |= new
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in new]
        return [
            (_content(mail.get_body(("plain",))), _content(mail.get_body(("html",))))
            for mail in mails
        ]

    def wait_for_mails(self) -> None:
        """Wait until no mail is waiting."""
        wait_until(lambda: self._value(_WAITING) == 0)

    def rows(self) -> dict[str, list[str]]:
        """Read every table but those that tell of the service's own life."""
        with self._engine.connect() as connection:
            return {
                name: sorted(str(tuple(row)) for row in connection.exec_driver_sql(query))
                for name, query in self._queries.items()
            }

    def count(self, table: str) -> int:
        """Return how many rows there are."""
        return self._value(f"SELECT count(*) FROM {table}")

    def _value(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql(query).scalar_one())

    @cached_property
    def _engine(self) -> Engine:
        return create_database_engine(self.database_url)

    @cached_property
    def _queries(self) -> dict[str, str]:
        inspector = inspect(self._engine)
        tables = set(inspector.get_table_names()) - _NOT_COMPARED
        columns = {table: inspector.get_columns(table) for table in tables}
        return {
            table: f"SELECT {', '.join(column['name'] for column in found)} FROM {table}"
            for table, found in columns.items()
        } | {"resume_chunks": "SELECT lead_id, position FROM resume_chunks"}

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()
        self._engine.dispose()

    @contextmanager
    def storing_nothing(self) -> Iterator[None]:
        """See that not a row is another one afterwards."""
        self.wait_for_mails()
        before = self.rows()
        yield
        after = self.rows()
        assert [name for name in after if after[name] != before[name]] == []

    @contextmanager
    def within(self, *, mebibytes: int = 50, cpu_seconds: float | None = None) -> Iterator[None]:
        """See that the service needs no more memory, nor time on a calm machine."""
        memory, busy = self._memory(), self._cpu_seconds()
        yield
        assert self._memory() - memory <= mebibytes * MEBIBYTE
        if cpu_seconds is not None:
            assert self._cpu_seconds() - busy <= cpu_seconds * _BUSY_MACHINE

    def together(self, count: int, call: Any) -> list[Any]:
        """Call `count` times at once."""
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(call, range(count)))

    def log_size(self) -> int:
        """Return where the last whole line of the log ends now, in bytes."""
        with self.service.log_file.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _LONGEST_LINE)
            file.seek(start)
            return start + file.read().rfind(b"\n") + 1

    def assert_unharmed(self, since: int) -> None:
        """See that the log since then tells of no defect and no value, and that all is well."""
        with self.service.log_file.open("rb") as file:
            file.seek(since)
            log = file.read().decode("utf-8", "replace")
        # Of a line that is being written at this moment the next test has the whole.
        log = log[: log.rfind("\n") + 1]
        lines = log.splitlines()
        assert "Traceback" not in log
        entries = [json.loads(line) for line in lines]
        assert not [entry for entry in entries if entry.get("status", 0) >= 500]
        assert not [entry for entry in entries if entry.get("level") in ("error", "critical")]
        read = "\n".join(str(value) for entry in entries for value in entry.values())
        assert not [trace for trace in self.traces if trace in log or trace in read]
        wait_until(lambda: self._temporary_files() == [], 5)
        started = time.monotonic()
        assert self.http.get("/healthz").status_code == 200
        assert time.monotonic() - started < 3

    def _temporary_files(self) -> list[str]:
        """Return files in the temporary folder, those included that only the process still has."""
        held = []
        for handle in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                held.append(str(handle.readlink()))
        listed = [str(file) for file in self.temporary_folder.iterdir()]
        return listed + [name for name in held if f"{self.temporary_folder}/" in name]

    def _memory(self) -> int:
        return int(self._process.memory_info().rss)

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    @cached_property
    def _process(self) -> psutil.Process:
        return psutil.Process(self.service._started.pid)


def _content(part: MIMEPart | None) -> str:
    return "" if part is None else str(part.get_content())
