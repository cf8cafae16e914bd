from collections.abc import Iterator
from pathlib import Path

import pytest

from notion_backend.core.config import Settings
from notion_backend.data.unit_of_work import Database
from notion_backend.operations.start import opened_database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The embedded default in a folder of its own."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`, in use as by a running service."""
    with opened_database(settings) as opened:
        yield opened
