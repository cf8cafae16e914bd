import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from notion_backend.core.errors import ConfigurationError
from notion_backend.data import migrate
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
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
