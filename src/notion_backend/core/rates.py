"""Rates such as `20/minute`, as settings write them."""

import re
from dataclasses import dataclass

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` events in any `seconds` seconds."""

    count: int
    seconds: int


def parse_rate(text: object) -> Rate | None:
    """Read `20/minute`; `off` is None, no limit.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(text, Rate) or text is None:
        return text
    word = str(text).strip().lower()
    if word == "off":
        return None
    match = _RATE.fullmatch(word)
    if match is None:
        raise ValueError("write it as COUNT/second, /minute, /hour or /day, or off")
    return Rate(int(match[1]), _UNITS[match[2]])
