"""Text from outside, made safe to show on a terminal or in a log."""

import re

# C0, DEL and C1, line and paragraph separators, bidirectional controls, lone surrogates: what can
# move the cursor, begin a line or turn the order of what is read (ASVS V16.4.1).
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Return `text` on one line, what does not print written as an escape such as `\x1b`."""
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
