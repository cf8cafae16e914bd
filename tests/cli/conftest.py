from pathlib import Path

import pytest

from tests.cli.command import Command


@pytest.fixture
def notion(tmp_path: Path) -> Command:
    """`notion-backend` on an empty DATA_DIR."""
    return Command(tmp_path / "shell")
