"""How a part of a name or address is looked for, on each database; a search is taken literally."""

import re

from sqlalchemy import ColumnElement, and_, column, false, func, select, table, text
from sqlalchemy.orm import Session

from notion_backend.core.text import fold
from notion_backend.data.bulk import table_of
from notion_backend.data.models import Lead
from notion_backend.data.search_index import SHORTEST, TABLE

_LONGEST = 4 * 255
"""NFC can shorten a text to a quarter; what is longer still is in no name and no address."""
_LONGEST_PHRASE = 30
_LIKE_SIGNS = re.compile(r"[%_\\]")
_LEADS = table_of(Lead).c
_FOUND = table(TABLE, column("rowid"), column("search_text"))


def indexed_search(session: Session, q: str) -> ColumnElement[bool]:
    """Return the condition that a lead holds `q`, such that an index finds those that do.

    Where there is no index, or `q` is too short for it, each lead is looked at.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite" and _can_be_found(q) and len(fold(q)) >= SHORTEST and _has_fts(session):
        # Of a long text the beginning: one that repeats itself would take the index seconds.
        phrase = '"' + fold(q)[:_LONGEST_PHRASE].replace('"', '""') + '"'
        found = _LEADS.id.in_(select(_FOUND.c.rowid).where(_FOUND.c.search_text.match(phrase)))
        return found if len(fold(q)) <= _LONGEST_PHRASE else and_(found, holds(q, dialect))
    return holds(q, dialect)  # pg_trgm needs no other words


def holds(q: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a lead holds `q`, for who looks at each of a few."""
    if not _can_be_found(q):
        return false()
    if dialect == "postgresql":
        # With an ESCAPE behind it, pg_trgm would not know this LIKE.
        return _LEADS.search_text.like("%" + _LIKE_SIGNS.sub(r"\\\g<0>", fold(q)) + "%")
    return func.instr(_LEADS.search_text, fold(q)) > 0


def _can_be_found(q: str) -> bool:
    # `search_text` has its three parts on lines of their own, and none holds a control character.
    return len(q) <= _LONGEST and "\n" not in q and "\0" not in q


def _has_fts(session: Session) -> bool:
    """Tell whether this SQLite had FTS5 when the tables were made."""
    asked = text("SELECT 1 FROM sqlite_master WHERE name = :name")
    return session.execute(asked, {"name": TABLE}).first() is not None
