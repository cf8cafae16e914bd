"""The kill test finds each bug that is planted for it, and nothing where there is none."""

from pathlib import Path

import pytest

from tests.crash.planted_bugs import BUGS
from tests.crash.rounds import Run

WITH_WORKERS = ("no lease", "lease without fence")
"""Bugs that take two workers."""
ROUNDS = 200
SEED = 7


@pytest.mark.parametrize("bug", BUGS)
def test_each_planted_bug_is_found(bug: str, tmp_path: Path) -> None:
    mode = "sqlite-redis" if bug in WITH_WORKERS else "sqlite"
    report = Run(mode, tmp_path / "run", SEED, bug=bug).run(ROUNDS)
    assert report.wrong
