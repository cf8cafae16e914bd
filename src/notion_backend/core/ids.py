"""Identifiers: ordered ones for rows, unguessable ones for people."""

import secrets
import threading
import time
from uuid import UUID

_REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 26
_NANOSECONDS = 1_000_000

_stamping = threading.Lock()
_last_stamp = 0


def new_row_id() -> UUID:
    """Return a version 7 UUID (RFC 9562 §5.7, §6.2 method 3), greater than the one before it.

    Its first 60 bits are the time, to a quarter of a microsecond, so that rows land side by side
    in an index in the order in which this process made them.
    """
    stamp = _next_stamp()
    high = stamp >> 12 << 16 | 0x7 << 12 | stamp & 0xFFF
    low = 0b10 << 62 | secrets.randbits(62)
    return UUID(int=high << 64 | low)


def new_reference() -> str:
    """Return 26 letters and digits of 130 random bits (ASVS V11.5.1), none easily misread."""
    bits = secrets.randbits(5 * _REFERENCE_LENGTH)
    return "".join(
        _REFERENCE_ALPHABET[bits >> shift & 31] for shift in range(0, 5 * _REFERENCE_LENGTH, 5)
    )


def is_reference(text: str) -> bool:
    """Tell whether `text` has the form of a reference; whether a lead has it is another matter."""
    return len(text) == _REFERENCE_LENGTH and set(text) <= set(_REFERENCE_ALPHABET)


def _next_stamp() -> int:
    """Return 48 bits of milliseconds and 12 of their fraction, never the same twice."""
    global _last_stamp  # noqa: PLW0603 - one clock a process
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS)
    stamp = milliseconds << 12 | (rest << 12) // _NANOSECONDS
    with _stamping:
        _last_stamp = max(_last_stamp + 1, stamp)
        return _last_stamp
