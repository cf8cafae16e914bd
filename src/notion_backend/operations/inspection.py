"""Is this file a sound database of ours?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from notion_backend.core.errors import InvalidInput
from notion_backend.data.migrations import REVISIONS
from notion_backend.data.sqlite import driver

_COUNTED = ("leads", "users", "deliveries", "events")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a sound database holds."""

    revision: str
    rows: Mapping[str, int]
    unsent: int
    """Mails that wait or were being sent."""


def inspect(file: Path) -> Inspection:
    """Check every page, index and reference of an SQLite database that nobody else has open.

    Raises:
        InvalidInput: it is damaged, is not ours, or was made by a newer version.
    """
    connection: Any = driver.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    try:
        return _inspect(connection)
    except driver.DatabaseError as error:
        raise InvalidInput(f"The database cannot be read: {error}.") from error
    finally:
        connection.close()


def _inspect(connection: Any) -> Inspection:
    faults = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if faults != [("ok",)]:
        raise InvalidInput(f"The database is damaged: {faults[0][0]}.")
    if orphan := connection.execute("PRAGMA foreign_key_check").fetchone():
        raise InvalidInput(f"The database is damaged: a row of {orphan[0]} refers to none.")
    revisions = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    if len(revisions) != 1:
        raise InvalidInput("The database was never migrated to the end.")
    if revisions[0] not in REVISIONS:
        raise InvalidInput(
            "The database was made by a newer version of Notion Backend; use that version."
        )
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lead_search'").fetchone():
        # An old build of SQLite calls an index whole that it cannot read.
        connection.execute("SELECT rowid FROM lead_search WHERE lead_search MATCH 'abc'").fetchone()
    return Inspection(
        revision=revisions[0],
        rows={table: _count(connection, table) for table in _COUNTED},
        unsent=_count(connection, "deliveries WHERE status IN ('QUEUED', 'SENDING')"),
    )


def _count(connection: Any, what: str) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]  # noqa: S608 - our own words
    return count
