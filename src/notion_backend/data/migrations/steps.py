"""Steps that may run again: MySQL commits each DDL by itself, so a revision can stop half-way."""

from typing import Any

import sqlalchemy as sa
from alembic import op

TABLE_OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}


def create_table(name: str, *parts: Any, **options: Any) -> None:
    """Create the table unless an earlier, broken-off run did."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *parts, **TABLE_OPTIONS, **options)


def create_index(name: str, table: str, columns: list[str]) -> None:
    """Create the index unless an earlier, broken-off run did."""
    if name not in _indexes_of(table):
        op.create_index(name, table, columns)


def drop_index(name: str, table: str) -> None:
    """Drop the index unless an earlier, broken-off run did."""
    if name in _indexes_of(table):
        op.drop_index(name, table)


def _indexes_of(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
