"""Cells of a CSV file that no spreadsheet runs as a formula, and back again.

`unguarded(guarded(text)) == text` for every text, also for one with an apostrophe of its
own in front (ASVS V1.2.10; OWASP, CSV Injection).
"""

import re

_SIGNS = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""What begins a formula, full width included, and what some programs skip before one."""

_FIRST = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What such a text begins with; most begin otherwise, and looking at a set is quick."""
_RUNS_OR_LOOKS_GUARDED = re.compile(f"'*{_SIGNS}")
_GUARDED = re.compile(f"'+{_SIGNS}")


def guarded(text: str) -> str:
    """Put an apostrophe before a text that would be run, or would lose its own to `unguarded`."""
    if text[:1] not in _FIRST:
        return text
    return f"'{text}" if _RUNS_OR_LOOKS_GUARDED.match(text) else text


def unguarded(cell: str) -> str:
    """Take off the apostrophe that `guarded` put there; leave every other text as it is."""
    return cell[1:] if _GUARDED.match(cell) else cell
