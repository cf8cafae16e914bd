"""The index that search uses: trigrams of `leads.search_text`, where the database has such a thing.

SQLite: an FTS5 table over the column, kept by triggers in the transaction of each change.
PostgreSQL: a GIN index of pg_trgm, if the extension may be created. MariaDB and MySQL have nothing
of the kind: a table of the text alone, kept by triggers if they may be created; to look through it
takes a tenth of the time that looking through the leads would (ADR 0021).
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from notion_backend.core.errors import ConfigurationError
from notion_backend.data.sqlite import driver

_log = structlog.get_logger(__name__)

TABLE = "lead_search"
"""The FTS5 table, whose own tables have longer names; on MariaDB and MySQL the text alone."""
POSTGRESQL_INDEX = "ix_leads_search_text"
SHORTEST = 3
"""Characters; an index of trigrams finds nothing shorter."""
_SQLITE_TRIGGERS, _MYSQL_TRIGGERS = 3, 2
_NO_TRIGGERS = frozenset({1142, 1227, 1419})
"""MariaDB and MySQL: denied on the table, denied at all, denied while there is a binary log."""
_OLDEST_SQLITE = (3, 42)
"""Before it FTS5 could not erase what was deleted."""

_SQLITE: Sequence[str] = (
    """
    CREATE VIRTUAL TABLE lead_search USING fts5(
        search_text, content='leads', content_rowid='id', tokenize='trigram case_sensitive 1'
    )
    """,
    # Without it the index keeps what was deleted until its pages are written anew.
    "INSERT INTO lead_search (lead_search, rank) VALUES ('secure-delete', 1)",
    """
    CREATE TRIGGER lead_search_insert AFTER INSERT ON leads
    BEGIN
        INSERT INTO lead_search (rowid, search_text) VALUES (new.id, new.search_text);
    END
    """,
    """
    CREATE TRIGGER lead_search_delete AFTER DELETE ON leads
    BEGIN
        INSERT INTO lead_search (lead_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
    END
    """,
    """
    CREATE TRIGGER lead_search_update AFTER UPDATE OF search_text ON leads
    WHEN old.search_text <> new.search_text
    BEGIN
        INSERT INTO lead_search (lead_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
        INSERT INTO lead_search (rowid, search_text) VALUES (new.id, new.search_text);
    END
    """,
    "INSERT INTO lead_search (lead_search) VALUES ('rebuild')",
)

_MYSQL: Sequence[str] = (
    "DROP TABLE IF EXISTS lead_search",
    """
    CREATE TABLE lead_search (
        lead_id BIGINT NOT NULL,
        search_text VARBINARY(8192) NOT NULL,
        CONSTRAINT pk_lead_search PRIMARY KEY (lead_id),
        CONSTRAINT fk_lead_search_lead_id_leads
            FOREIGN KEY (lead_id) REFERENCES leads (id) ON DELETE CASCADE
    ) ENGINE = InnoDB
    """,
    """
    CREATE TRIGGER lead_search_insert AFTER INSERT ON leads FOR EACH ROW
        INSERT INTO lead_search (lead_id, search_text) VALUES (NEW.id, NEW.search_text)
    """,
    """
    CREATE TRIGGER lead_search_update AFTER UPDATE ON leads FOR EACH ROW
        INSERT INTO lead_search (lead_id, search_text) VALUES (NEW.id, NEW.search_text)
            ON DUPLICATE KEY UPDATE search_text = NEW.search_text
    """,
    # Last, with the triggers at work: what is stored or changed meanwhile is there already.
    "INSERT IGNORE INTO lead_search (lead_id, search_text) SELECT id, search_text FROM leads",
)


def create(connection: Connection) -> None:
    """Make the index over all that is there, where the database can; search is right without it."""
    if connection.dialect.name == "sqlite":
        if _can_be_kept(connection):
            for statement in _SQLITE:
                connection.exec_driver_sql(statement)
    elif connection.dialect.name == "postgresql" and (schema := _trigrams(connection)):
        operators = f"{connection.dialect.identifier_preparer.quote(schema)}.gin_trgm_ops"
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS {POSTGRESQL_INDEX} ON leads "
            f"USING gin (search_text {operators})"
        )
    elif connection.dialect.name in {"mysql", "mariadb"}:
        drop(connection)
        try:
            for statement in _MYSQL:
                connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in _NO_TRIGGERS:
                raise
            drop(connection)
            _log.warning(
                "search_without_its_table",
                advice="This account may not create triggers, so a search reads every lead.",
            )


def check(connection: Connection) -> None:
    """See that this build of SQLite can keep the index that another one has made.

    Raises:
        ConfigurationError: it cannot; every change of a lead would fail.
    """
    if connection.dialect.name != "sqlite" or not exists(connection):
        return
    if not _can_be_kept(connection):
        raise ConfigurationError(
            "The database was made with a newer SQLite than this one, "
            f"{driver.sqlite_version}; install pysqlite3, or SQLite 3.42 or newer with FTS5."
        )


def drop(connection: Connection) -> None:
    """Remove what `create` made."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {POSTGRESQL_INDEX}")
    else:
        _drop_triggers(connection)
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")


def exists(connection: Connection) -> bool:
    """Tell whether there is the table that `create` makes, with the triggers that keep it."""
    return len(_triggers(connection)) == (
        _SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else _MYSQL_TRIGGERS
    )


def is_part(name: str | None) -> bool:
    """Tell whether a table or an index belongs to it, which the models do not know."""
    return (name or "").startswith((TABLE, POSTGRESQL_INDEX))


def _drop_triggers(connection: Connection) -> None:
    """Drop those that there are: MariaDB may refuse to drop one that there is not (error 1419)."""
    for name in _triggers(connection):
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def _triggers(connection: Connection) -> Sequence[str]:
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        asked = (
            "SELECT trigger_name FROM information_schema.triggers "
            "WHERE trigger_schema = DATABASE() AND event_object_table = 'leads'"
        )
    names = connection.exec_driver_sql(asked).scalars()
    return [name for name in names if name.startswith(TABLE)]


def _can_be_kept(connection: Connection) -> bool:
    modules = connection.exec_driver_sql("SELECT name FROM pragma_module_list").scalars()
    return driver.sqlite_version_info >= _OLDEST_SQLITE and "fts5" in set(modules)


def _trigrams(connection: Connection) -> str | None:
    """Return the schema that has pg_trgm, created if it may be; None if it cannot be had."""
    offered = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
    if connection.exec_driver_sql(offered).first() is None:
        return None
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:  # only the database's owner may, in some places
        return None
    schema: str | None = connection.exec_driver_sql(
        "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE extname = 'pg_trgm'"
    ).scalar()
    return schema
