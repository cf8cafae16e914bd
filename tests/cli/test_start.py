import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from notion_backend.cli.serve import public_url
from notion_backend.data.engine import create_database_engine
from tests.cli.command import Command
from tests.servers.postgres import PostgresServer
from tests.servers.process import free_port
from tests.servers.service import Service, Worker
from tests.waiting import wait_until

StartService = Callable[..., Service]
StartWorker = Callable[..., Worker]


def test_the_first_password_is_shown_once_and_signs_in(start_service: StartService) -> None:
    service = start_service()
    found = re.search(r"^  password: (\S+)$", service.log, re.MULTILINE)
    assert found
    answer = httpx.post(
        f"{service.base_url}/api/v1/auth/token",
        data={"grant_type": "password", "username": "admin", "password": found[1]},
        trust_env=False,
    )
    assert answer.status_code == httpx.codes.OK
    assert service.stop() == 0
    service.start()
    assert service.log.count("password: ") == 1


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("fe80::1", "http://[fe80::1]:8000"),
    ],
)
def test_links_lead_to_where_serve_listens(host: str, url: str) -> None:
    assert public_url(host, 8000) == url


def test_mails_of_every_process_link_to_where_the_service_listens(
    start_service: StartService,
) -> None:
    service = start_service("--workers", "2")
    answer = httpx.post(
        f"{service.base_url}/api/v1/leads",
        data={"first_name": "A", "last_name": "B", "email": "a@example.com"},
        files={"resume": ("cv.txt", b"Ten years of bridges.")},
        trust_env=False,
    )
    assert answer.status_code == httpx.codes.CREATED
    wait_until(lambda: len(list((service.data_dir / "mail").glob("*.eml"))) == 2)
    links = [text_of(file) for file in (service.data_dir / "mail").glob("*.eml")]
    assert any(f"{service.base_url}/console/leads/" in text for text in links)


def test_without_auto_migrate_an_old_schema_is_refused_with_what_to_run(notion: Command) -> None:
    for command in (f"serve --port {free_port()}", "users list"):
        done = notion(*command.split(), AUTO_MIGRATE="false")
        assert done.status == 1
        assert "run `notion-backend migrate`" in done.complaint
    assert notion("migrate", AUTO_MIGRATE="false").status == 0
    assert notion("users", "list", AUTO_MIGRATE="false").status == 0
    assert notion("migrate").out == "The database is at the newest revision already.\n"


def test_a_newer_schema_is_refused(notion: Command) -> None:
    assert notion("migrate").status == 0
    engine = create_database_engine(f"sqlite:///{notion.data_dir / 'notion.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for command in (f"serve --port {free_port()}", "worker", "migrate"):
        done = notion(*command.split())
        assert done.status == 1
        assert "newer version" in done.complaint


class WaitingWorker(Worker):
    """A worker that counts as started when it has said what it waits for."""

    def is_ready(self) -> bool:
        return "waiting_for_database" in self.log


def test_a_worker_waits_for_the_schema_and_then_works(notion: Command) -> None:
    with WaitingWorker(notion.folder) as worker:
        assert notion("migrate").status == 0
        wait_until(lambda: "worker_started" in worker.log)
        assert worker.log.count("waiting_for_database") == 1
        assert worker.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_waits_stops_cleanly(notion: Command, number: int) -> None:
    with WaitingWorker(notion.folder) as worker:
        worker.send_signal(number)
        assert worker.wait() == 0
        assert "Traceback" not in worker.log


def test_a_taken_port_is_one_line(start_service: StartService, notion: Command) -> None:
    service = start_service()
    done = notion("serve", "--port", str(service.port))
    assert done.status == 1
    assert str(service.port) in done.complaint


def test_a_backup_is_made_while_the_service_runs_and_restored_only_when_it_is_stopped(
    start_service: StartService, start_worker: StartWorker, tmp_path: Path
) -> None:
    service = start_service()
    shell = Command(tmp_path / "service")
    archive = tmp_path / "saved.tar"
    saved = shell("backup", archive)
    assert saved.status == 0, saved.err
    assert shell("restore", archive, "--check").out.startswith("Good: 0 leads, 1 users")
    refused = shell("restore", archive)
    assert refused.status == 1
    assert "stop `serve` and `worker`" in refused.complaint
    assert service.stop() == 0
    worker = start_worker()
    assert shell("restore", archive).status == 1
    assert worker.stop() == 0
    restored = shell("restore", archive)
    assert restored.status == 0, restored.err
    assert "The former database is" in restored.out
    service.start()


def test_a_check_of_a_backup_writes_nothing(notion: Command, tmp_path: Path) -> None:
    archive = tmp_path / "saved.tar"
    assert notion("migrate").status == 0
    assert notion("backup", archive).status == 0
    elsewhere = Command(tmp_path / "elsewhere")
    assert elsewhere("restore", "--check", archive).status == 0
    assert list(elsewhere.folder.iterdir()) == []
    archive.write_bytes(archive.read_bytes()[:-20_000])
    done = elsewhere("restore", "--check", archive)
    assert done.status == 1
    assert done.complaint


def test_an_sqlite_that_could_corrupt_the_database_lets_one_process_in(
    notion: Command, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden" / "pysqlite3"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")
    version = subprocess.run(
        [sys.executable, "-c", "import sqlite3; print(*sqlite3.sqlite_version_info)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if tuple(map(int, version.split())) >= (3, 51, 3):
        pytest.skip("the SQLite of this Python is new enough")
    old = {"PYTHONPATH": str(hidden.parent)}
    many = notion("serve", "--workers", "2", "--port", str(free_port()), **old)
    assert many.status == 1
    assert "--workers" in many.complaint
    with Service(notion.folder, name="old", **old):
        other = notion("users", "list", **old)
        assert other.status == 1
        assert "3.51.3" in other.complaint


def test_a_port_that_is_taken_costs_nobody_the_first_password(notion: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = notion("serve", "--port", str(other.getsockname()[1]))
    assert done.status == 1
    assert "Cannot listen on 127.0.0.1" in done.complaint
    assert not (notion.data_dir / "notion.db").exists()


def test_production_refuses_a_server_that_does_not_sync(
    notion: Command, postgres_server: PostgresServer
) -> None:
    url = postgres_server.url
    engine = create_database_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    wait_until(lambda: not_syncing(engine))
    production = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "PUBLIC_URL": "https://leads.example.com",
        "SMTP_HOST": "127.0.0.1",
        "ADMIN_EMAIL": "admin@example.com",
        "MAIL_FROM": "leads@example.com",
    }
    done = notion("serve", "--port", str(free_port()), DATABASE_URL=url, **production)
    engine.dispose()
    assert done.status == 1
    assert "fsync" in done.complaint


def not_syncing(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.exec_driver_sql("SHOW fsync").scalar() == "off"


def test_a_start_waits_for_a_database_server_that_is_starting(
    notion: Command, postgres_server: PostgresServer
) -> None:
    url = postgres_server.url
    postgres_server.stop()
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_backend", "migrate"],
        cwd=notion.folder,
        env={**notion.environment, "DATABASE_URL": url, "LOG_LEVEL": "warning"},
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    assert b"waiting_for_database" in process.stderr.readline()
    began = time.monotonic()
    postgres_server.start()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert time.monotonic() - began < 10


def text_of(mail: Path) -> str:
    message = message_from_bytes(mail.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return body.get_content() if body else ""
