"""Moments as parameters name them (RFC 3339 §5.6)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LEAP_SECOND = "60"
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def parse_moment(text: Any) -> datetime | None:
    """Read a moment with its zone; empty is None.

    Digits beyond the microsecond are dropped, a leap second is the second after 59, and what lies
    beyond the years 1 to 9999 becomes their first or last moment.
    """
    if text in {None, ""}:
        return None
    match = _RFC_3339.fullmatch(str(text))
    if match is None:
        raise _unreadable()
    day, minute, second, fraction, zone = match.groups()
    leaps = second == _LEAP_SECOND
    if day.startswith("0000"):
        return _FIRST
    try:
        moment = datetime.fromisoformat(
            f"{day}T{minute}{'59' if leaps else second}.{(fraction or '')[:6]:0<6}{zone.upper()}"
        )
    except ValueError:
        raise _unreadable() from None
    try:
        return moment.astimezone(UTC) + timedelta(seconds=leaps)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


def _unreadable() -> PydanticCustomError:
    return PydanticCustomError(
        "moment", "Write the time with its zone, such as 2026-11-23T09:30:00Z."
    )


Moment = Annotated[
    datetime | None,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"maxLength": 0}]}),
]
"""An optional parameter; where it is missing or empty it is None."""
