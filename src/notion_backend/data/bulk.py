"""Many new rows in one statement, past the session's unit of work."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from notion_backend.data.base import Base


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; none is nothing to do."""
    if rows:
        session.execute(insert(table_of(model)), rows)


def table_of(model: type[Base]) -> Table:
    """Return the table of a model, for statements that no session has to follow."""
    return model.metadata.tables[model.__tablename__]
