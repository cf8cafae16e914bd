"""When a mail is tried again."""

import random
from datetime import timedelta

_SECOND, _MINUTE, _HOUR = 1, 60, 3600
DELAYS = (
    30 * _SECOND,
    2 * _MINUTE,
    10 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Seconds to wait after the first, second … attempt; after the last one a mail has failed."""
MOST_ATTEMPTS = len(DELAYS) + 1
JITTER = 0.2
LONGEST_DELAY = timedelta(seconds=DELAYS[-1] * (1 + JITTER))
"""Nothing waits longer for its next attempt; what a server asks for is a day at most."""
AFTER_SILENCE = timedelta(minutes=10)
"""A server that has all of a mail but has not answered may be at work for so long (RFC 5321)."""


def delay_after(attempts: int, *, asked: float | None = None) -> timedelta | None:
    """Return how long to wait after the attempt of this number; None when it was the last.

    Args:
        attempts: how many there have been, from 1.
        asked: seconds that the server asked for; never come back sooner.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    planned = DELAYS[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return timedelta(seconds=max(planned, asked or 0))
