"""The doorbell: ids of deliveries that may be due. It may lose any of them, the sweep finds all."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

_MOST_IDS = 10_000


class DeliveryQueue(Protocol):
    """Carries ids from who writes deliveries to who sends them; never stands in their way."""

    def ring(self, ids: Sequence[UUID]) -> None:
        """Announce deliveries. Returns at once and never raises."""
        ...

    def take(self, limit: int, timeout: float) -> list[UUID]:
        """Return up to `limit` ids, waiting up to `timeout` seconds for the first.

        Never raises: while the queue is out of order it waits and returns nothing.
        """
        ...

    def wake(self) -> None:
        """Make the `take` that waits now, or else the next one, return soon."""
        ...

    def is_healthy(self) -> bool:
        """Tell, without waiting, whether the queue works as far as is known."""
        ...

    def close(self) -> None:
        """Let go of threads and connections; a waiting `take` returns."""
        ...


class MemoryQueue:
    """A `DeliveryQueue` for one process. The oldest ids make room when nobody takes any."""

    def __init__(self, most_ids: int = _MOST_IDS) -> None:
        self._ids: deque[UUID] = deque(maxlen=most_ids)
        self._is_woken = False
        self._changed = threading.Condition()

    def ring(self, ids: Sequence[UUID]) -> None:
        """Announce deliveries."""
        with self._changed:
            self._ids.extend(ids)
            self._changed.notify()

    def take(self, limit: int, timeout: float) -> list[UUID]:
        """Return up to `limit` ids, waiting up to `timeout` seconds for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._ids or self._is_woken, timeout)
            self._is_woken = False
            return [self._ids.popleft() for _ in range(min(limit, len(self._ids)))]

    def wake(self) -> None:
        """Make the `take` that waits now, or else the next one, return."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def is_healthy(self) -> bool:
        """Return True: memory does not go away."""
        return True

    def close(self) -> None:
        """Make a waiting `take` return."""
        self.wake()
