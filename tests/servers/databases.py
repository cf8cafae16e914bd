"""Every kind of database that tests run on, each with a quick way to an empty one.

SQLite and PostgreSQL are always there, MariaDB where the machine has it; each server named in
`TEST_DATABASE_URLS` (comma-separated; its user may create databases) is one more kind.
"""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol, Self
from uuid import uuid4

from sqlalchemy import (
    Connection,
    MetaData,
    Table,
    exists,
    literal,
    make_url,
    select,
    union_all,
)
from sqlalchemy.exc import OperationalError

from notion_backend.data.engine import create_database_engine
from notion_backend.data.migrate import upgrade
from tests.servers.mariadb import MariaDbServer
from tests.servers.postgres import PostgresServer

_OWN_SERVERS: Mapping[str, type[PostgresServer | MariaDbServer]] = {
    "postgresql": PostgresServer,
    "mariadb": MariaDbServer,
}


_QUICK_SESSION: Mapping[str, Sequence[str]] = {
    "postgresql": ("SET synchronous_commit = off",),
    # InnoDB checks a table that refers to itself row by row.
    "mysql": ("SET SESSION foreign_key_checks = 0",),
}
"""What spares time where nobody minds a loss, by dialect."""


class Source(Protocol):
    """Where the databases of one kind come from."""

    def bare(self) -> AbstractContextManager[str]:
        """Lend the URL of a database without a table."""

    def migrated(self) -> AbstractContextManager[str]:
        """Lend the URL of a database just as the migrations leave it, one at a time."""


class Databases(ExitStack):
    """The sources of one test process, each made when it is first asked for; closes them all."""

    def __init__(self, servers: Mapping[str, str | None], folder: Path) -> None:
        super().__init__()
        self._servers = servers
        self._folder = folder
        self._sources: dict[str, Source] = {}

    def of(self, kind: str) -> Source:
        """Return the source of this kind, such as `sqlite` or `postgresql`."""
        if kind not in self._sources:
            self._sources[kind] = self._make(kind)
        return self._sources[kind]

    def _make(self, kind: str) -> Source:
        if kind == "sqlite":
            return SqliteFiles(self._folder)
        url = self._servers[kind]
        if url is None:
            url = self.enter_context(_OWN_SERVERS[kind]()).url
        return self.enter_context(ServerDatabases(url))


class SqliteFiles:
    """Lends copies of a file that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"

    @contextmanager
    def bare(self) -> Iterator[str]:
        folder = Path(mkdtemp(dir=self._folder))
        yield _sqlite_url(folder / "notion.db")
        # A service that the test has not stopped yet may still write beside the file.
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        if not self._template.exists():
            engine = create_database_engine(_sqlite_url(self._template))
            upgrade(engine)
            engine.dispose()
        with self.bare() as url:
            shutil.copy(self._template, str(make_url(url).database))
            yield url


class ServerDatabases(ExitStack):
    """Lends databases of a server: a bare one is new each time, the migrated one is emptied.

    Emptying takes some milliseconds where creating and dropping take a tenth of a second. A test
    that changes the schema must take a bare one.
    """

    def __init__(self, admin_url: str) -> None:
        super().__init__()
        self._admin_url = admin_url
        self._kept: KeptDatabase | None = None

    @contextmanager
    def bare(self) -> Iterator[str]:
        name = f"notion_test_{uuid4().hex[:16]}"
        with _administrator(self._admin_url) as administrator:
            administrator.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield make_url(self._admin_url).set(database=name).render_as_string(hide_password=False)
        finally:
            with _administrator(self._admin_url) as administrator:
                _disconnect_others(administrator, name)
                force = " WITH (FORCE)" if administrator.dialect.name == "postgresql" else ""
                administrator.exec_driver_sql(f"DROP DATABASE {name}{force}")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        if self._kept is None:
            url = self.enter_context(self.bare())
            self._kept = self.enter_context(KeptDatabase(url))
        else:
            self._kept.empty()
        yield self._kept.url


class KeptDatabase:
    """A migrated database that is brought back to the state in which the migrations left it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_database_engine(url)
        upgrade(self._engine)
        self._tables = MetaData()
        self._tables.reflect(self._engine)
        with self._engine.connect() as connection:
            self._first_rows = [
                _Rows(table, [dict(row) for row in connection.execute(table.select()).mappings()])
                for table in self._tables.sorted_tables
            ]
        self._with_rows = union_all(
            *(
                select(literal(rows.table.name)).where(exists().select_from(rows.table))
                for rows in self._first_rows
            )
        )
        self._session = _QUICK_SESSION[self._engine.dialect.name]

    def empty(self) -> None:
        """Remove every row, whoever still holds it, and put back those of the migrations."""
        with self._engine.connect() as connection:
            _disconnect_others(connection, str(make_url(self.url).database))
            for statement in self._session:
                connection.exec_driver_sql(statement)
            filled = set(connection.execute(self._with_rows).scalars())
            for rows in reversed(self._first_rows):
                if rows.table.name in filled:
                    connection.execute(rows.table.delete())
            for rows in self._first_rows:
                if rows.values:
                    connection.execute(rows.table.insert(), rows.values)
            connection.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class _Rows:
    table: Table
    values: Sequence[dict[str, Any]]


def _sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


@contextmanager
def _administrator(url: str) -> Iterator[Connection]:
    engine = create_database_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()


def _disconnect_others(connection: Connection, name: str) -> None:
    """End every other connection to this database: one that was left holds locks."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
        return
    others = connection.exec_driver_sql(
        "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> connection_id()",
        (name,),
    )
    for number in others.scalars().all():
        # One that was ending by itself may be gone since it was listed.
        with contextlib.suppress(OperationalError):
            connection.exec_driver_sql(f"KILL {number}")
