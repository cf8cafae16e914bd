"""Keys by which a client marks a repeat of the same submission."""

from datetime import datetime, timedelta

from notion_backend.core.errors import MalformedRequest
from notion_backend.data.unit_of_work import UnitOfWork

KEYS_KEPT_FOR = timedelta(hours=72)
_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F)))
_LONGEST = 255


def check_idempotency_key(key: str | None) -> None:
    """Refuse a key that is not 1 to 255 visible ASCII characters; none is fine.

    Raises:
        MalformedRequest: it is not.
    """
    if key is None:
        return
    if not 1 <= len(key) <= _LONGEST or not _CHARACTERS.issuperset(key):
        raise MalformedRequest(
            "Send an Idempotency-Key of 1 to 255 visible ASCII characters, or none.",
            code="idempotency_key_invalid",
        )


def forget_old_keys(work: UnitOfWork, now: datetime) -> None:
    """Delete the keys that have been kept for long enough."""
    work.idempotency.forget_before(now - KEYS_KEPT_FOR)
