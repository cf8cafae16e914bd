"""Bring a database to the newest revision, once, however many processes start together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from notion_backend.core.errors import ConfigurationError
from notion_backend.data import search_index
from notion_backend.data.engine import reading
from notion_backend.data.migrations import REVISIONS

_LOCK_NAME = "notion_backend.migrate"
_LOCK_NUMBER = 7_215_034_881
_LOCK_WAIT_SECONDS = 120


def upgrade(engine: Engine) -> None:
    """Run the revisions that are missing, under a lock of the database.

    Raises:
        ConfigurationError: the database was made by a newer version, or the lock stayed taken.
    """
    if is_current(engine):
        return
    with _locked(engine) as connection:
        if _revision(connection) not in {None, *REVISIONS}:
            raise ConfigurationError(
                "The database was made by a newer version of Notion Backend; install that version."
            )
        _run(connection)


def is_current(engine: Engine) -> bool:
    """Tell whether the database is at the newest revision of this version."""
    return current_revision(engine) == REVISIONS[-1]


def current_revision(engine: Engine) -> str | None:
    """Return the revision that the database is at; None before the first."""
    with reading(engine).connect() as connection:
        return _revision(connection)


def _run(connection: Connection) -> None:
    # Ten megabytes that most starts have no use for.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    search_index.check(connection)
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that alone may migrate, its work committed at the end."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Its write lock is the lock; rebuilding a table needs foreign keys off, before BEGIN.
            connection.detach()
            raw = connection.connection.cursor()
            raw.execute(f"PRAGMA busy_timeout = {_LOCK_WAIT_SECONDS * 1000}")
            raw.execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                yield connection
        elif engine.dialect.name == "postgresql":
            connection.detach()
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
            yield connection
            connection.commit()
        else:
            taken = connection.execute(
                text("SELECT GET_LOCK(:name, :wait)"),
                {"name": _LOCK_NAME, "wait": _LOCK_WAIT_SECONDS},
            ).scalar()
            if taken != 1:
                raise ConfigurationError("Another process has been migrating for two minutes.")
            try:
                yield connection
                connection.commit()
            finally:
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK_NAME})
