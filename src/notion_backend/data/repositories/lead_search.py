"""How a part of a name or address is looked for, on each database; a search is taken literally."""

import re
from collections.abc import Sequence
from typing import Any, TypeVarTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Select,
    Subquery,
    column,
    false,
    func,
    join,
    select,
    table,
)
from sqlalchemy.orm import Session

from notion_backend.core.text import fold
from notion_backend.data.bulk import table_of
from notion_backend.data.models import Lead
from notion_backend.data.search_index import SHORTEST, TABLE, exists

Columns = TypeVarTuple("Columns")

_LONGEST = 4 * 255
"""NFC can shorten a text to a quarter; what is longer still is in no name and no address."""
_LONGEST_PHRASE = 30
_LIKE_SIGNS = re.compile(r"[%_\\]")
_LEADS = table_of(Lead).c
_FOUND = table(TABLE, column("rowid"), column("search_text"))
_WITH_TEXTS = frozenset({"mysql", "mariadb"})
_TEXTS = table(TABLE, column("lead_id"), column("search_text", LargeBinary))


def matching(leads: Select[*Columns], session: Session, q: str) -> Select[*Columns]:
    """Keep of `leads` those that hold `q`, such that an index finds them; an empty `q` keeps all.

    Where there is no index, or `q` is too short for it, each lead is looked at.
    """
    if not q:
        return leads
    dialect, can_be_found = session.get_bind().dialect.name, _can_be_found(q)
    if dialect == "sqlite" and can_be_found and len(fold(q)) >= SHORTEST and _is_indexed(session):
        # Of a long text the beginning: one that repeats itself would take the index seconds.
        phrase = '"' + fold(q)[:_LONGEST_PHRASE].replace('"', '""') + '"'
        found = select(_FOUND.c.rowid).where(_FOUND.c.search_text.match(phrase))
        leads = leads.where(_LEADS.id.in_(found))
        if len(fold(q)) <= _LONGEST_PHRASE:
            return leads
    if _has_texts(session, q):
        # In this order, or each lead would be read to look at its text.
        both = join(_TEXTS, table_of(Lead), _TEXTS.c.lead_id == _LEADS.id)
        return leads.select_from(both).prefix_with("STRAIGHT_JOIN").where(_text_holds(q))
    return leads.where(_holds(_LEADS.search_text, q, dialect))  # pg_trgm needs no other words


def looked_at(session: Session, q: str) -> Sequence[Column[Any]]:
    """Return what `matching_among` needs of the few besides their `id`."""
    return () if _has_texts(session, q) else (_LEADS.search_text,)


def matching_among(
    leads: Select[*Columns], few: Subquery, session: Session, q: str
) -> Select[*Columns]:
    """Keep of `leads` those of `few` that hold `q`: each is looked at.

    `few` has the `id` of each, and what is `looked_at`: in the table itself PostgreSQL would ask
    the index, which finds all leads that hold `q`.
    """
    if _has_texts(session, q):
        texts = join(few, _TEXTS, _TEXTS.c.lead_id == few.c.id)
        both = join(texts, table_of(Lead), _LEADS.id == few.c.id)
        return leads.select_from(both).prefix_with("STRAIGHT_JOIN").where(_text_holds(q))
    holds = _holds(few.c.search_text, q, session.get_bind().dialect.name)
    return leads.join(few, few.c.id == _LEADS.id).where(holds)


def _has_texts(session: Session, q: str) -> bool:
    """Tell whether `q` is looked for in a table of the texts alone."""
    dialect = session.get_bind().dialect.name
    return dialect in _WITH_TEXTS and _can_be_found(q) and _is_indexed(session)


def _text_holds(q: str) -> ColumnElement[bool]:
    return func.instr(_TEXTS.c.search_text, fold(q).encode()) > 0


def _holds(text: ColumnElement[str], q: str, dialect: str) -> ColumnElement[bool]:
    if not _can_be_found(q):
        return false()
    if dialect == "postgresql":
        # With an ESCAPE behind it, pg_trgm would not know this LIKE.
        return text.like("%" + _LIKE_SIGNS.sub(r"\\\g<0>", fold(q)) + "%")
    return func.instr(text, fold(q)) > 0


def _can_be_found(q: str) -> bool:
    # `search_text` has its three parts on lines of their own, and none holds a control character.
    return len(q) <= _LONGEST and "\n" not in q and "\0" not in q


def _is_indexed(session: Session) -> bool:
    """Tell whether the database could have the index when the tables were made."""
    return exists(session.connection())
