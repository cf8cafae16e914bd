import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from notion_backend.core.errors import ConfigurationError
from notion_backend.data import migrate, migrations, search_index
from notion_backend.data.base import Base
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Lead

DESIGN = {
    "users": {"id", "username", "email", "hashed_password", "disabled", "role"},
    "leads": {"id", "first_name", "last_name", "email", "state", "reference"}
    | {f"resume_{part}" for part in ("filename", "media_type", "size", "sha256")},
    "resume_chunks": {"lead_id", "position", "content"},
    "events": {"id", "lead_id", "at", "actor", "action", "detail", "address"},
    "deliveries": {"id", "lead_id", "kind", "recipient", "status", "attempts", "next_attempt_at"},
    "delivery_attempts": {"delivery_id", "at", "stage", "reply"},
    "idempotency_records": {"key", "content_hash", "lead_id", "created_at"},
    "sessions": {"id", "user_id", "expires_at", "revoked_at"},
    "refresh_tokens": {"token_hash", "session_id", "used_at"},
    "worker_heartbeats": {"id", "seen_at", "outage"},
}


def test_an_empty_database_gets_every_table_and_column_of_the_design(
    bare_database_url: str,
) -> None:
    engine = create_database_engine(bare_database_url)
    assert not migrate.is_current(engine)
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    seen = inspect(engine)
    for table, columns in DESIGN.items():
        assert columns <= {column["name"] for column in seen.get_columns(table)}, table
    uniques = {tuple(one["column_names"]) for one in seen.get_unique_constraints("users")}
    assert {("username",), ("email_folded",)} <= uniques
    engine.dispose()


def test_the_revisions_make_what_the_models_say(bare_database_url: str) -> None:
    engine = create_database_engine(bare_database_url)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        opts = {
            "compare_type": True,
            "include_name": lambda name, *_: not search_index.is_part(name),
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_many_that_start_together_migrate_once(bare_database_url: str) -> None:
    together = threading.Barrier(4)

    def start() -> None:
        engine = create_database_engine(bare_database_url)
        together.wait()
        migrate.upgrade(engine)
        assert migrate.is_current(engine)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for started in [pool.submit(start) for _ in range(4)]:
            started.result()


def test_a_database_of_a_newer_version_is_refused(bare_database_url: str) -> None:
    engine = create_database_engine(bare_database_url)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not migrate.is_current(engine)
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate.upgrade(engine)
    engine.dispose()


def test_a_migration_that_broke_off_half_way_can_be_run_again(bare_database_url: str) -> None:
    engine = create_database_engine(bare_database_url)
    Lead.__table__.create(engine)  # as far as a MySQL server came before it was stopped
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    engine.dispose()


def test_every_revision_is_on_the_list_that_a_start_looks_at() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    found = ScriptDirectory.from_config(config).walk_revisions()
    assert [script.revision for script in found][::-1] == list(migrations.REVISIONS)


def test_a_start_that_finds_the_newest_revision_does_not_load_alembic(sqlite_url: str) -> None:
    code = (
        "import sys\n"
        "from notion_backend.data import migrate\n"
        "from notion_backend.data.engine import create_database_engine\n"
        "import notion_backend.app\n"
        "migrate.upgrade(create_database_engine(sys.argv[1]))\n"
        "sys.exit('alembic' in sys.modules)"
    )
    engine = create_database_engine(sqlite_url)
    migrate.upgrade(engine)
    engine.dispose()
    subprocess.run([sys.executable, "-c", code, sqlite_url], check=True)
