"""SQLite cannot store for a while: 503 with `Retry-After`, then 201 by itself, and no mail is lost.

All of it in one process, `serve`, which also sends the mails.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from notion_backend.data.engine import create_database_engine
from notion_backend.data.sqlite import driver
from tests.faults.disk import Disk
from tests.faults.installation import Installation
from tests.faults.outage import Outage
from tests.faults.system_calls import SYNCS, WRITES, FailingCalls
from tests.waiting import wait_until

_LOCKED_SECONDS = 12.0
"""Longer than anybody waits for the lock, so that somebody is told."""
_LEASE = {"lease": 12.0}
"""Longer than what is not stored here for a while, and shorter than the usual wait for its end."""
_LOCK = f"""
import sys
from {driver.__name__} import connect
database = connect(sys.argv[1], timeout=20, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
database.execute("COMMIT")
"""

Measured = Callable[[str, str, str], None]


@pytest.mark.long
def test_a_database_that_another_process_has_locked_is_waited_for(
    installation: Callable[..., Installation], measured: Measured
) -> None:
    parts = installation()
    with parts.load() as load:
        wait_until(lambda: load.statuses[201] >= 10)
        with Outage(load) as outage, _locked(parts.folder / "data/notion.db"):
            time.sleep(_LOCKED_SECONDS)
    outage.assert_told(longest=_LOCKED_SECONDS + 2)
    assert outage.told
    drained = parts.wait_until_all_sent()
    parts.assert_nothing_lost()
    measured(f"SQLite: locked for {outage.seconds:.1f} s", f"{outage}", _waited(drained))


@pytest.mark.needs("mount")
def test_a_full_disk_is_told_until_there_is_room(
    installation: Callable[..., Installation], tmp_path: Path, measured: Measured
) -> None:
    with Disk(tmp_path / "data") as disk:
        parts = installation(waits=_LEASE)
        with parts.load() as load:
            wait_until(lambda: load.statuses[201] >= 10)
            disk.fill()
            with Outage(load) as outage:
                outage.wait_until_told()
                disk.make_room()
        outage.assert_told(longest=5)
        drained = parts.wait_until_all_sent()
        parts.assert_nothing_lost()
    measured(f"SQLite: disk full for {outage.seconds:.1f} s", f"{outage}", _waited(drained))


@pytest.mark.needs("mount", "strace")
def test_a_disk_that_turned_read_only_is_told_until_it_is_writable(
    installation: Callable[..., Installation], tmp_path: Path, measured: Measured
) -> None:
    with Disk(tmp_path / "data") as disk:
        parts = installation(waits=_LEASE)
        calls = f"{WRITES},{SYNCS}"
        with parts.load() as load:
            wait_until(lambda: load.statuses[201] >= 10)
            disk.forbid_writing()
            with Outage(load) as outage:
                with FailingCalls(parts.service.pid, calls, "EROFS", tmp_path / "calls"):
                    outage.wait_until_told()
                disk.allow_writing()
        outage.assert_told(longest=5)
        drained = parts.wait_until_all_sent()
        parts.assert_nothing_lost()
    measured(f"SQLite: read-only for {outage.seconds:.1f} s", f"{outage}", _waited(drained))


@pytest.mark.needs("mount")
def test_a_connection_that_was_opened_on_a_read_only_disk_is_not_kept(tmp_path: Path) -> None:
    with Disk(tmp_path / "data") as disk:
        url = f"sqlite:///{tmp_path}/data/notion.db"
        before, meanwhile = create_database_engine(url), create_database_engine(url)
        with before.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE things (name TEXT)")
        disk.forbid_writing()
        with pytest.raises(OperationalError, match="readonly"):
            _insert(meanwhile)
        disk.allow_writing()
        _insert(meanwhile)
        before.dispose()
        meanwhile.dispose()


def _insert(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things VALUES ('one')")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the write lock in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", _LOCK, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == b"locked\n"
        yield
        other.stdin.close()
        assert other.wait(20) == 0


def _waited(drained: float) -> str:
    return f"waits; all SENT {drained:.1f} s after the load"
