"""The engine: what each database needs at connect, so that the rest of the code need not know."""

import json
import socket
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from notion_backend.core.errors import ConfigurationError
from notion_backend.data import sqlite

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
_LOCK_WAIT_SECONDS = 4
"""Short enough for intake to try twice within the ten seconds that a repeated key may wait."""
_POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_timeout": 5}
_NOTICE_LOSS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}
"""A server that is gone without a word is noticed in seconds, where TCP takes a quarter hour."""
_OUTLIVED = frozenset({"25006", "0A000"})
"""Read-only, as a server that became a standby; a cached plan from before a migration."""
_POSTGRESQL_SESSION = (
    f"-c timezone=UTC -c synchronous_commit=on -c lock_timeout={_LOCK_WAIT_SECONDS}s "
    "-c statement_timeout=60s -c idle_in_transaction_session_timeout=120s"
)
_MYSQL_SESSION = (
    "SET SESSION time_zone = '+00:00', "
    "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
    f"innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}"
)


def _read_json(text: str | bytes) -> Any:
    # Nearly every list of flags is empty, and a page has fifty of them. Psycopg hands out bytes.
    return [] if text in ("[]", b"[]") else json.loads(text)


_ALWAYS: dict[str, Any] = {
    # Errors are logged, and what a statement carries is personal data.
    "hide_parameters": True,
    "json_deserializer": _read_json,
}


def create_database_engine(url: str) -> Engine:
    """Return an engine for SQLite, PostgreSQL or MySQL/MariaDB, as users write their URLs.

    Raises:
        ConfigurationError: the URL cannot be read or names another database.
    """
    parsed = _with_driver(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={**_NOTICE_LOSS, "options": _POSTGRESQL_SESSION},
            **_POOL,
            **_ALWAYS,
        )
        event.listen(engine, "handle_error", _give_up_outlived_connection)
        return engine
    engine = create_engine(
        parsed.update_query_dict({"charset": "utf8mb4"}),
        pool_pre_ping=True,
        pool_recycle=3600,
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": 5,
            "read_timeout": 120,
            "write_timeout": 120,
            "init_command": _MYSQL_SESSION,
        },
        **_POOL,
        **_ALWAYS,
    )
    event.listen(engine, "connect", _notice_loss)
    return engine


def reading(engine: Engine) -> Engine:
    """Return the engine for what only reads: no lock is taken and no transaction is begun.

    Two statements may see different states, as they do in a transaction of PostgreSQL and MariaDB
    at READ COMMITTED, too. PostgreSQL is spared two of three round trips; MariaDB, which begins
    without one, would only be asked to change its mode.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(read_only=True, isolation_level="AUTOCOMMIT")
    return engine.execution_options(read_only=True)


def weakness(engine: Engine) -> str | None:
    """Say in a line what keeps this server from syncing each commit; None if nothing does."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            if connection.exec_driver_sql("SHOW fsync").scalar() != "on":
                return "PostgreSQL runs with fsync=off; turn it on in postgresql.conf"
        elif engine.dialect.name in {"mysql", "mariadb"}:
            flush = connection.exec_driver_sql("SELECT @@innodb_flush_log_at_trx_commit").scalar()
            if flush != 1:
                return f"innodb_flush_log_at_trx_commit is {flush}; the server must run with 1"
    return None


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "DATABASE_URL: cannot be read; write it as sqlite:///FILE, "
            "postgresql://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME"
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise ConfigurationError(
            f"DATABASE_URL: {backend} is not served; use SQLite, PostgreSQL or MySQL/MariaDB"
        )
    if not parsed.database:
        raise ConfigurationError("DATABASE_URL: names no database behind the host")
    return parsed.set(drivername=_DRIVERS[backend])


def _give_up_outlived_connection(context: ExceptionContext) -> None:
    """Let the pool forget a connection whose server, or whose schema, is not what it was."""
    if getattr(context.original_exception, "sqlstate", None) in _OUTLIVED:
        context.is_disconnect = True


def _notice_loss(connection: Any, _record: object) -> None:
    """Do for PyMySQL, which has no options for it, what `_NOTICE_LOSS` does for PostgreSQL."""
    connected: socket.socket = connection._sock  # noqa: SLF001 - there is no other way to it
    if connected.family != socket.AF_UNIX:
        for option, value in (
            (socket.TCP_KEEPIDLE, _NOTICE_LOSS["keepalives_idle"]),
            (socket.TCP_KEEPINTVL, _NOTICE_LOSS["keepalives_interval"]),
            (socket.TCP_KEEPCNT, _NOTICE_LOSS["keepalives_count"]),
            (socket.TCP_USER_TIMEOUT, _NOTICE_LOSS["tcp_user_timeout"]),
        ):
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _sqlite_engine(url: URL) -> Engine:
    path = Path(url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url, module=sqlite.driver, **_POOL, **_ALWAYS)
    event.listen(engine, "connect", sqlite.prepare_connection)
    event.listen(engine, "handle_error", sqlite.give_up_read_only_connection)
    event.listen(engine, "begin", _begin_on_sqlite)
    return engine


def _begin_on_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a read that turns into a write fails whatever the timeout.

    What only reads begins nothing; each of its statements sees one state of the database.
    """
    if not connection.get_execution_options().get("read_only", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
