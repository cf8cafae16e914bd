"""The one source of wall-clock time, and how moments are written."""

from datetime import UTC, datetime


def write_moment(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the microsecond, with `Z`."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def utcnow() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)
