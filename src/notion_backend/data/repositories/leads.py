"""Leads as staff read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from notion_backend.core.enums import LeadSort
from notion_backend.core.ids import is_reference
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data.bulk import insert_rows, table_of
from notion_backend.data.models import Lead
from notion_backend.data.repositories.lead_search import looked_at, matching, matching_among
from notion_backend.data.rows import LeadRow, ListedLead

Columns = TypeVarTuple("Columns")
Position = tuple[datetime | str, int]
"""Where a lead stands in an order: what is compared, and the id, which breaks ties."""

_LOOKED_THROUGH = 5_000
"""Leads that a search looks at one by one before it asks the index: what is found in many leads is
found among these, and what is found in few the index finds at once."""
_MOST_LOOKED_THROUGH = 40_000

_LEADS = table_of(Lead).c
_SORT_KEYS: dict[str, Column[Any]] = {
    "created_at": _LEADS.created_at,
    "last_name": _LEADS.last_name_sort,
    "email": _LEADS.email_sort,
}
_LIST: Select[*tuple[Any, ...]] = select(*(_LEADS[name] for name in ListedLead.__slots__))
EXPORTED_COLUMNS = (
    "id",
    "reference",
    "first_name",
    "last_name",
    "email",
    "state",
    "created_at",
    "reached_out_at",
    "reached_out_by",
    "resume_filename",
    "resume_sha256",
)


class LeadRepository:
    """Reads and writes `leads`."""

    def __init__(self, session: Session) -> None:
        self._session = session

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

    def page(
        self, query: LeadQuery, *, behind: Position | None, limit: int
    ) -> Sequence[ListedLead]:
        """Return up to `limit` leads in the order of the query, those behind `behind`."""
        return [ListedLead(*row) for row in self._page(_LIST, query, behind, limit)]

    def exported_page(
        self, query: LeadQuery, *, behind: Position | None, limit: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return up to `limit` rows: `EXPORTED_COLUMNS`, then the sort key as `sort_key`."""
        key = _LEADS[_SORT_KEYS[query.sort.by].key].label("sort_key")
        rows = select(*(_LEADS[name] for name in EXPORTED_COLUMNS), key)
        return self._page(rows, query, behind, limit)

    def count(self, query: LeadQuery) -> int:
        """Count the leads that the filters let through."""
        filters, q = self._asked(query)
        counted = select(func.count(_LEADS.id)).where(*filters)
        return self._session.scalars(matching(counted, self._session, q)).one()

    def count_others(self, lead: Lead, most: int) -> int:
        """Count the other leads with the e-mail address of this one, `most` at most."""
        others = (
            select(Lead.id)
            .where(Lead.email_sort == lead.email_sort, Lead.id != lead.id)
            .limit(most)
        )
        return self._session.scalars(select(func.count()).select_from(others.subquery())).one()

    def erase(self, lead: Lead) -> None:
        """Delete the lead; résumé, mails, attempts and idempotency record go by foreign key."""
        self._session.execute(delete(Lead).where(Lead.id == lead.id))

    def _page(
        self,
        columns: Select[*Columns],
        query: LeadQuery,
        behind: Position | None,
        limit: int,
    ) -> Sequence[Row[*Columns]]:
        key = _SORT_KEYS[query.sort.by]
        filters, q = self._asked(query)
        found = columns.where(*filters)
        if behind is not None:
            found = found.where(self._is_behind(key, query.sort, behind))
        # Rows are all that is wanted, so no session looks through them.
        connection = self._session.connection()
        if not q:
            return connection.execute(_in_order(found, query.sort, key).limit(limit)).all()
        looked_through: int | None = _LOOKED_THROUGH
        while looked_through is not None:
            near = found.with_only_columns(
                _LEADS.id, key.label("place"), *looked_at(self._session, q)
            )
            among = _in_order(near, query.sort, key).limit(looked_through).subquery()
            found_near = matching_among(columns, among, self._session, q)
            # By the place of the few, or the whole table might be read in the order of its index.
            in_order = _in_order(found_near, query.sort, among.c.place).limit(limit)
            rows = connection.execute(in_order).all()
            if len(rows) == limit:
                return rows
            looked_through = _more_to_look_through(looked_through, len(rows), limit, query.sort)
        # Read in the order of the list, all others would be looked at one by one. The index of the
        # order is hidden, so that the matches are found first and then sorted.
        hidden = func.coalesce(key, key)
        all_found = matching(found, self._session, q)
        return connection.execute(_in_order(all_found, query.sort, hidden).limit(limit)).all()

    def _asked(self, query: LeadQuery) -> tuple[list[ColumnElement[bool]], str]:
        """Return the filters, and the text to look for; none is left where it is a reference."""
        filters, reference = _filters(query), query.q.strip().upper()
        if is_reference(reference) and self.known_references([reference]):
            return [*filters, _LEADS.reference == reference], ""
        return filters, query.q

    def _is_behind(
        self, key: ColumnElement[Any], sort: LeadSort, position: Position
    ) -> ColumnElement[bool]:
        """Compare so that the index finds the place, also among many equal keys.

        SQLite and PostgreSQL seek a row value but not an OR; MariaDB does the opposite.
        """
        value, lead_id = position
        if self._dialect in {"mysql", "mariadb"}:
            tie = and_(key == value, _beyond(sort, _LEADS.id, lead_id))
            return or_(_beyond(sort, key, value), tie)
        return _beyond(sort, tuple_(key, _LEADS.id), position)

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name


def position_of(lead: ListedLead, sort: LeadSort) -> Position:
    """Return where `lead` stands in this order."""
    return getattr(lead, _SORT_KEYS[sort.by].key), lead.id


def _more_to_look_through(
    looked_through: int, found: int, limit: int, sort: LeadSort
) -> int | None:
    """Return among how many leads a page is probably found; None where the index is quicker.

    The index gives all that hold a text, and all of them have to be read to be sorted. By age
    leads lie one beside the other; in another order each would be read from elsewhere.
    """
    if looked_through > _LOOKED_THROUGH or not found or sort.by != "created_at":
        return None
    enough = looked_through * limit * 3 // (found * 2)
    return enough if enough <= _MOST_LOOKED_THROUGH else None


def _beyond(sort: LeadSort, column: Any, value: Any) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = column < value if sort.is_descending else column > value
    return beyond


def _filters(query: LeadQuery) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.state is not None:
        filters.append(_LEADS.state == query.state)
    if query.flagged is not None:
        filters.append(_LEADS.flagged == query.flagged)
    if query.created_from is not None:
        filters.append(_LEADS.created_at >= query.created_from)
    if query.created_to is not None:
        filters.append(_LEADS.created_at < query.created_to)
    return filters


def _in_order(leads: Select[*Columns], sort: LeadSort, key: ColumnElement[Any]) -> Select[*Columns]:
    if sort.is_descending:
        return leads.order_by(key.desc(), _LEADS.id.desc())
    return leads.order_by(key, _LEADS.id)
