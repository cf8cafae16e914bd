import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from notion_backend.core.config import Settings
from notion_backend.core.errors import BusinessError, Conflict, InvalidInput, NotFound
from notion_backend.data.sqlite import driver
from notion_backend.data.unit_of_work import Database
from notion_backend.operations.backup import back_up
from notion_backend.operations.restore import check, restore
from notion_backend.operations.service_lock import sqlite_file
from notion_backend.operations.start import opened_database
from tests.factories import a_lead
from tests.waiting import wait_until

Tamper = Callable[[Path], None]


def ignored(_done: int) -> None:
    """Nobody watches the progress."""


def store(database: Database, count: int = 1, *, resume: bytes = b"%PDF-1.7 \x00\xff") -> None:
    with database.writing() as work:
        for _ in range(count):
            a_lead(work, resume=resume)
        work.commit()


def everything(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, résumés included."""
    with opened_database(settings) as database, database.engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_schema WHERE type = 'table'"))
        return {
            name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
            for name in tables.scalars().all()
        }


def test_a_restored_database_equals_the_saved_one_row_for_row(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database, 3, resume=os.urandom(2_500_000))
        saved = back_up(settings, archive, ignored)
    before = everything(settings)
    with opened_database(settings) as database:
        store(database, 2)
    _, former = restore(settings, archive, ignored)
    assert everything(settings) == before
    assert saved.rows["leads"] == len(before["leads"]) == 3
    assert former is not None
    assert len(everything(Settings(database_url=f"sqlite:///{former}"))["leads"]) == 5


def test_a_restore_on_a_new_machine_brings_everything_back(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database)
        (settings.data_dir / "secret_key").write_text("k" * 64)
        back_up(settings, archive, ignored)
    before = everything(settings)
    other = Settings(data_dir=tmp_path / "other")
    other.data_dir.mkdir()
    _, former = restore(other, archive, ignored)
    assert former is None
    assert everything(other) == before
    assert (other.data_dir / "secret_key").read_text() == "k" * 64


def test_a_secret_key_that_is_set_is_not_in_the_archive(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret_key="s" * 64)
    archive = tmp_path / "saved.tar"
    with opened_database(settings):
        (settings.data_dir / "secret_key").write_text("k" * 64)
        back_up(settings, archive, ignored)
    assert names_in(archive) == ["manifest.json", "notion.db"]


def test_the_archive_is_for_this_user_alone_and_nothing_is_left_beside_it(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    store(database)
    back_up(settings, folder / "saved.tar", ignored)
    assert [file.name for file in folder.iterdir()] == ["saved.tar"]
    assert stat.S_IMODE((folder / "saved.tar").stat().st_mode) == 0o600


def test_a_backup_while_the_service_writes_holds_a_whole_number_of_transactions(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    store(database, 20, resume=os.urandom(500_000))
    archive = tmp_path / "saved.tar"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(sqlite_file(settings.database))])
    try:
        wait_until(lambda: count_of(database, "users") > 3)
        before = count_of(database, "users")
        saved = back_up(settings, archive, ignored)
        after_the_backup = count_of(database, "users")
        wait_until(lambda: count_of(database, "users") > after_the_backup)
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
    assert saved.rows["users"] >= before
    database.close()
    found = check(archive, ignored)
    assert found.rows == saved.rows
    # The writer stores a user and an event in each transaction.
    assert found.rows["users"] == found.rows["events"]


def test_a_backup_takes_no_memory_for_its_size(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    for _ in range(5):
        store(database, 1, resume=os.urandom(16_000_000))
    archive = tmp_path / "saved.tar"
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, str(settings.data_dir), str(archive)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert archive.stat().st_size > 80_000_000
    assert int(measured.stdout) < 40_000, "kilobytes"


def test_a_backup_of_a_database_server_names_the_tool_for_it(tmp_path: Path) -> None:
    for url, tool in (
        ("postgresql://u@127.0.0.1/n", "pg_dump"),
        ("mysql://u@127.0.0.1/n", "mariadb-dump"),
    ):
        with pytest.raises(Conflict, match=tool):
            back_up(Settings(database_url=url), tmp_path / "saved.tar", ignored)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_needs_a_database(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(settings, tmp_path / "saved.tar", ignored)


def test_a_backup_never_overwrites_what_it_saves(settings: Settings, database: Database) -> None:
    file = settings.data_dir / "notion.db"
    with pytest.raises(Conflict):
        back_up(settings, file, ignored)
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_a_backup_of_a_damaged_database_is_refused_and_leaves_the_old_one(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database, 200)
        back_up(settings, archive, ignored)
    good = archive.read_bytes()
    damage(settings.data_dir / "notion.db")
    with pytest.raises(InvalidInput):
        back_up(settings, archive, ignored)
    assert archive.read_bytes() == good
    assert [file.name for file in tmp_path.iterdir() if ".part" in file.name] == []


def test_a_restore_while_the_service_runs_is_refused(settings: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        back_up(settings, archive, ignored)
        store(database)
        with pytest.raises(Conflict, match="stop `serve` and `worker`"):
            restore(settings, archive, ignored)
        assert count_of(database, "leads") == 1


def test_a_restore_is_refused_while_any_other_program_has_the_database(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database)
        back_up(settings, archive, ignored)
    file = settings.data_dir / "notion.db"
    stranger = subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert stranger.stdout
    try:
        stranger.stdout.readline()
        with pytest.raises(Conflict):
            restore(settings, archive, ignored)
    finally:
        stranger.communicate()
    assert list(settings.data_dir.glob("*before-restore*")) == []


def test_a_restore_replaces_a_database_that_cannot_be_read(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database)
        back_up(settings, archive, ignored)
    before = everything(settings)
    (settings.data_dir / "notion.db").write_bytes(b"rubbish" * 999)
    (settings.data_dir / "notion.db-wal").write_bytes(b"more rubbish" * 999)
    restore(settings, archive, ignored)
    assert everything(settings) == before


def test_what_a_killed_service_left_in_its_log_stays_with_the_former_database(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        back_up(settings, archive, ignored)
        store(database, 7)
        aside = tmp_path / "killed"
        shutil.copytree(settings.data_dir, aside)
    assert (aside / "notion.db-wal").stat().st_size > 0
    killed = Settings(data_dir=aside)
    _, former = restore(killed, archive, ignored)
    assert everything(killed)["leads"] == []
    assert len(everything(Settings(database_url=f"sqlite:///{former}"))["leads"]) == 7


def cut_off(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def empty(archive: Path) -> None:
    archive.write_bytes(b"")


def replaced_by_rubbish(archive: Path) -> None:
    archive.write_bytes(os.urandom(100_000))


def one_byte_changed(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def without_the_database(archive: Path) -> None:
    rewrite(archive, lambda members: members.pop("notion.db"))


def without_the_manifest(archive: Path) -> None:
    rewrite(archive, lambda members: members.pop("manifest.json"))


def with_a_stranger(archive: Path) -> None:
    rewrite(archive, lambda members: members.update({"../../evil": b"x"}))


def with_a_path_in_the_manifest(archive: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["members"]["../../evil"] = manifest["members"]["notion.db"]
        members["manifest.json"] = json.dumps(manifest).encode()
        members["../../evil"] = members["notion.db"]

    rewrite(archive, change)


def of_a_newer_version(archive: Path) -> None:
    change_manifest(archive, lambda manifest: manifest.update(format=2))


def with_other_counts(archive: Path) -> None:
    change_manifest(archive, lambda manifest: manifest["rows"].update(leads=99))


def with_a_broken_manifest(archive: Path) -> None:
    rewrite(archive, lambda members: members.update({"manifest.json": b"{"}))


@pytest.mark.parametrize(
    "tamper",
    [
        cut_off,
        empty,
        replaced_by_rubbish,
        one_byte_changed,
        without_the_database,
        without_the_manifest,
        with_a_stranger,
        with_a_path_in_the_manifest,
        of_a_newer_version,
        with_other_counts,
        with_a_broken_manifest,
    ],
)
def test_an_archive_that_is_not_whole_is_refused_and_nothing_changes(
    settings: Settings, tmp_path: Path, tamper: Tamper
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        back_up(settings, archive, ignored)
        store(database)
    check(archive, ignored)
    tamper(archive)
    before = snapshot(tmp_path)
    with pytest.raises(InvalidInput) as refused:
        check(archive, ignored)
    assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(BusinessError):
        restore(settings, archive, ignored)
    assert snapshot(tmp_path) == before


def test_a_changed_byte_that_sqlite_would_not_notice_is_noticed(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings) as database:
        store(database, resume=b"ten years of bridges")
        back_up(settings, archive, ignored)
    content = archive.read_bytes()
    assert content.count(b"ten years") == 1
    archive.write_bytes(content.replace(b"ten years", b"two years"))
    with pytest.raises(InvalidInput, match="is not what was saved"):
        check(archive, ignored)


def test_an_index_that_disagrees_with_its_table_is_told_of(
    settings: Settings, tmp_path: Path
) -> None:
    with opened_database(settings) as database:
        store(database)
        with database.engine.connect() as connection:
            reference = connection.execute(text("SELECT reference FROM leads")).scalar_one()
    file = settings.data_dir / "notion.db"
    file.write_bytes(file.read_bytes().replace(reference.encode(), b"X" * 26, 1))
    with pytest.raises(InvalidInput, match="The database is damaged"):
        back_up(settings, tmp_path / "saved.tar", ignored)


def test_a_row_that_refers_to_none_is_told_of(settings: Settings, tmp_path: Path) -> None:
    with opened_database(settings) as database:
        store(database)
    connection = driver.connect(str(settings.data_dir / "notion.db"))
    connection.execute("DELETE FROM leads")
    connection.commit()
    connection.close()
    with pytest.raises(InvalidInput, match="a row of resume_chunks refers to none"):
        back_up(settings, tmp_path / "saved.tar", ignored)


def test_a_database_of_a_newer_version_is_not_restored(settings: Settings, tmp_path: Path) -> None:
    with opened_database(settings) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(InvalidInput, match="newer version"):
            back_up(settings, tmp_path / "saved.tar", ignored)


def test_a_process_that_starts_during_a_restore_is_told_so(
    settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    with opened_database(settings):
        back_up(settings, archive, ignored)
    inside, done = threading.Event(), threading.Event()

    def wait_inside(_done: int) -> None:
        inside.set()
        done.wait(20)

    restoring = threading.Thread(target=restore, args=(settings, archive, wait_inside))
    restoring.start()
    try:
        assert inside.wait(20)
        started = subprocess.run(
            [sys.executable, "-m", "notion_backend", "users", "list"],
            env={**os.environ, "DATA_DIR": str(settings.data_dir)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        done.set()
        restoring.join()
    assert started.returncode == 1
    assert "is being restored" in started.stderr


WRITER = """
import sys
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import Role
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Event, User
from notion_backend.data.unit_of_work import Database
from sqlalchemy.orm import Session
engine = create_database_engine("sqlite:///" + sys.argv[1])
number = 0
while True:
    number += 1
    with Session(engine) as session:
        now, name = utcnow(), f"user{number}"
        session.add(User(username=name, email=name, email_folded=name, role=Role.STAFF,
                         created_at=now))
        session.flush()
        session.add(Event(at=now, actor=name, action="user.created", detail=""))
        session.commit()
"""

MEASURED = """
import resource, sys
from pathlib import Path
from notion_backend.core.config import Settings
from notion_backend.operations.backup import back_up
from notion_backend.operations.restore import check
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
target = Path(sys.argv[2])
back_up(Settings(data_dir=Path(sys.argv[1])), target, lambda done: None)
check(target, lambda done: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""

STRANGER = """
import sys
from notion_backend.data.sqlite import driver
connection = driver.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM leads").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def count_of(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def damage(file: Path) -> None:
    """Overwrite pages in the middle, as a dying disk might."""
    with file.open("r+b") as content:
        content.seek(file.stat().st_size // 8192 * 4096)
        content.write(os.urandom(16 * 4096))


def names_in(archive: Path) -> list[str]:
    with tarfile.open(archive) as members:
        return members.getnames()


def rewrite(archive: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    with tarfile.open(archive) as members:
        contents = {one.name: (members.extractfile(one) or io.BytesIO()).read() for one in members}
    change(contents)
    with tarfile.open(archive, "w") as members:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            members.addfile(entry, io.BytesIO(content))


def change_manifest(archive: Path, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    def changed(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    rewrite(archive, changed)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
