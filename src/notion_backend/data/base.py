"""What all tables share: constraint names, times in UTC, enums, character sets."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, Uuid
from sqlalchemy.dialects.mysql import DATETIME, LONGBLOB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import LargeBinary, TypeDecorator

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
MYSQL_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC to the microsecond.

    SQLite and MySQL give naive values back; they become aware again here.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """MySQL drops fractions of a second unless told to keep six digits."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive value: nobody can tell which moment it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give every value back aware and in UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        if value.tzinfo is None:
            # Not replace(), which takes seven times as long.
            return datetime.combine(value, value.time(), UTC)
        return value.astimezone(UTC)


def enum_column(words: type[StrEnum], name: str) -> Enum:
    """Return a column type that stores the enum's values as text under a named check.

    Not a native enum: PostgreSQL would need an `ALTER TYPE` for each new word.
    """
    return Enum(
        words,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


BigId = BigInteger().with_variant(Integer(), "sqlite")
"""64-bit row numbers; SQLite counts by itself only in a column called INTEGER."""

RowUuid = Uuid().with_variant(Uuid(native_uuid=False), "mysql", "mariadb")
"""Ordered UUIDs, compared byte by byte everywhere."""

Blob = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")
ShortText = String(255)

SortText = String(255).with_variant(String(255, collation="C"), "postgresql")
"""Folded text, sorted by code points everywhere; PostgreSQL would use the database's language."""


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    __table_args__: Any = MYSQL_OPTIONS
