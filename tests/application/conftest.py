from collections.abc import Iterator

import pytest

from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database, on each kind in turn."""
    opened = Database(create_database_engine(database_url))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(create_database_engine(sqlite_url))
    yield opened
    opened.close()
