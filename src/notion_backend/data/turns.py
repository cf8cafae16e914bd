"""Writers of one process take turns in the order they came.

SQLite lets one transaction write at a time, and who finds the lock taken sleeps and tries again: of
many that want it at once one can be passed over until its patience ends. Waiting in line costs no
sleep and passes nobody over.
"""

import threading
from collections import deque

from notion_backend.core.errors import Unavailable


class Turns:
    """A lock that is handed on in order, to those in a hurry first."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._guard = threading.Lock()
        self._is_taken = False
        self._line: deque[threading.Event] = deque()
        self._urgent: deque[threading.Event] = deque()
        self._was_urgent = False

    def take(self, *, urgent: bool = False) -> None:
        """Wait for this thread's turn.

        Args:
            urgent: before those who are not; of them one comes after each who is.

        Raises:
            Unavailable: it did not come within `patience` seconds.
        """
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            called = threading.Event()
            line = self._urgent if urgent else self._line
            line.append(called)
        if called.wait(self._patience):
            return
        with self._guard:
            if called.is_set():  # called while giving up: the turn is ours after all
                return
            line.remove(called)
        raise Unavailable(
            "The database is busy. Nothing was stored; try again in a moment.", retry_after=5
        )

    def end(self) -> None:
        """Hand the turn to who has waited longest, now of those in a hurry, now of the others."""
        with self._guard:
            others_turn = self._was_urgent and self._line
            if line := (self._line if others_turn else self._urgent or self._line):
                self._was_urgent = line is self._urgent
                line.popleft().set()
            else:
                self._is_taken = False
