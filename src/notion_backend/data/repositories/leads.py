"""Leads as staff read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Row, Select, and_, delete, false, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from notion_backend.core.enums import LeadSort
from notion_backend.core.lead_query import LeadQuery
from notion_backend.core.text import fold
from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import Lead
from notion_backend.data.rows import LeadRow

Columns = TypeVarTuple("Columns")
Position = tuple[datetime | str, int]
"""Where a lead stands in an order: what is compared, and the id, which breaks ties."""

_LONGEST_NEEDLE = 4 * 255
"""NFC can shorten a text to a quarter; what is longer still matches no name and no address."""

_SORT_KEYS: dict[str, InstrumentedAttribute[Any]] = {
    "created_at": Lead.created_at,
    "last_name": Lead.last_name_sort,
    "email": Lead.email_sort,
}
_EXPORTED = (
    Lead.id,
    Lead.reference,
    Lead.first_name,
    Lead.last_name,
    Lead.email,
    Lead.state,
    Lead.created_at,
    Lead.reached_out_at,
    Lead.reached_out_by,
    Lead.resume_filename,
    Lead.resume_sha256,
)
EXPORTED_COLUMNS = tuple(column.key for column in _EXPORTED)


class LeadRepository:
    """Reads and writes `leads`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, leads: Sequence[Lead]) -> None:
        """Store new leads; they have their ids after the flush."""
        self._session.add_all(leads)

    def insert(self, leads: Sequence[LeadRow]) -> list[int]:
        """Store new leads at once and return their ids, in the same order."""
        insert_rows(self._session, Lead, leads)
        references = [lead["reference"] for lead in leads]
        # Not RETURNING, which MySQL does not have; the index of references is at hand.
        found = self._session.execute(
            select(Lead.reference, Lead.id).where(Lead.reference.in_(references))
        )
        ids = dict(found.all())
        return [ids[reference] for reference in references]

    def get(self, lead_id: int, *, lock: bool = False) -> Lead | None:
        """Return one lead; with `lock` nobody else changes or erases it before the commit."""
        return self._session.get(Lead, lead_id, with_for_update=lock or None)

    def exists(self, lead_id: int) -> bool:
        """Tell whether there is such a lead."""
        return self._session.scalar(select(Lead.id).where(Lead.id == lead_id)) is not None

    def known_references(self, references: Sequence[str]) -> set[str]:
        """Return those of `references` that leads have already."""
        return set(
            self._session.scalars(select(Lead.reference).where(Lead.reference.in_(references)))
        )

    def page(self, query: LeadQuery, *, behind: Position | None, limit: int) -> Sequence[Lead]:
        """Return up to `limit` leads in the order of the query, those behind `behind`."""
        leads = select(Lead).options(defer(Lead.search_text, raiseload=True))
        return self._session.scalars(self._ordered(leads, query, behind).limit(limit)).all()

    def exported_page(
        self, query: LeadQuery, *, behind: Position | None, limit: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return up to `limit` rows: `EXPORTED_COLUMNS`, then the sort key as `sort_key`."""
        rows: Select[*tuple[Any, ...]] = select(
            *_EXPORTED, _SORT_KEYS[query.sort.by].label("sort_key")
        )
        return self._session.execute(self._ordered(rows, query, behind).limit(limit)).all()

    def count(self, query: LeadQuery) -> int:
        """Count the leads that the filters let through."""
        return self._session.scalars(select(func.count(Lead.id)).where(*_filters(query))).one()

    def erase(self, lead: Lead) -> None:
        """Delete the lead; résumé, mails, attempts and idempotency record go by foreign key."""
        self._session.execute(delete(Lead).where(Lead.id == lead.id))

    def _ordered(
        self, columns: Select[*Columns], query: LeadQuery, behind: Position | None
    ) -> Select[*Columns]:
        key = self._sort_key(query)
        found = columns.where(*_filters(query))
        if behind is not None:
            found = found.where(self._is_behind(key, query.sort, behind))
        if query.sort.is_descending:
            return found.order_by(key.desc(), Lead.id.desc())
        return found.order_by(key, Lead.id)

    def _sort_key(self, query: LeadQuery) -> ColumnElement[Any]:
        """Return what is compared.

        A search reads most rows, and in the order of names each costs a seek of its own: reading
        the table from end to end and sorting the finds is several times as fast. PostgreSQL knows;
        the others keep to the index unless the column is hidden from them.
        """
        key = _SORT_KEYS[query.sort.by]
        knows = query.sort.by == "created_at" or self._dialect == "postgresql"
        return func.coalesce(key, key) if query.q and not knows else key.expression

    def _is_behind(
        self, key: ColumnElement[Any], sort: LeadSort, position: Position
    ) -> ColumnElement[bool]:
        """Compare so that the index finds the place, also among many equal keys.

        SQLite and PostgreSQL seek a row value but not an OR; MariaDB does the opposite.
        """
        value, lead_id = position
        if self._dialect in {"mysql", "mariadb"}:
            tie = and_(key == value, _beyond(sort, Lead.id, lead_id))
            return or_(_beyond(sort, key, value), tie)
        return _beyond(sort, tuple_(key, Lead.id), position)

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name


def position_of(lead: Lead, sort: LeadSort) -> Position:
    """Return where `lead` stands in this order."""
    return getattr(lead, _SORT_KEYS[sort.by].key), lead.id


def _beyond(sort: LeadSort, column: Any, value: Any) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = column < value if sort.is_descending else column > value
    return beyond


def _filters(query: LeadQuery) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.state is not None:
        filters.append(Lead.state == query.state)
    if query.flagged is not None:
        filters.append(Lead.flagged == query.flagged)
    if query.created_from is not None:
        filters.append(Lead.created_at >= query.created_from)
    if query.created_to is not None:
        filters.append(Lead.created_at < query.created_to)
    if query.q:
        filters.append(_search(query.q))
    return filters


def _search(q: str) -> ColumnElement[bool]:
    # `search_text` has its three parts on lines of their own, so a line break matches none of them.
    if len(q) > _LONGEST_NEEDLE or "\n" in q:
        return false()
    return Lead.search_text.contains(fold(q), autoescape=True)
