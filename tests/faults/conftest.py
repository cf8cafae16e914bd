"""Installations to be broken, and a table of what was measured."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Start an installation; its arguments are those of `Installation` without the folder."""
    with ExitStack() as running:
        yield lambda **options: running.enter_context(Installation(tmp_path, **options))


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Write down a line of the fault matrix: the fault, what intake did, what mail did."""

    def write(fault: str, intake: str, mail: str) -> None:
        request.node.user_properties.append(("fault matrix", (fault, intake, mail)))

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    lines = [
        value
        for report in (*stats.get("passed", ()), *stats.get("failed", ()))
        for name, value in report.user_properties
        if name == "fault matrix"
    ]
    if lines:
        terminalreporter.section("fault matrix")
    for fault, intake, mail in lines:
        terminalreporter.write_line(f"| {fault} | {intake} | {mail} |")
