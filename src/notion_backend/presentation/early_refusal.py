"""Refuses submissions before the application is called, when more arrives than it could refuse."""

import time
from collections.abc import Callable, Sequence

import structlog

from notion_backend.presentation.middleware.admission import Lane, no_room
from notion_backend.presentation.middleware.request_context import request_id_from
from notion_backend.presentation.raw_answers import raw_answer

Headers = Sequence[tuple[bytes, bytes]]

_ANY_ID = "f" * 32
_SECONDS_BETWEEN_LINES = 1.0

_log = structlog.get_logger(__name__)


class EarlyRefusal:
    """Answers a submission to the API as `Admission` would, at a fraction of what that costs.

    The answer is made once; only the name of the request is put in. What a browser sends for a page
    (`Origin`) goes to the application, which knows pages and CORS. In the log a flood is a line a
    second, in the metrics each answer counts.
    """

    def __init__(self, lane: Lane, *, path: str, count: Callable[[str, int], None]) -> None:
        self._lane = lane
        self._target = path.encode()
        self._count = count
        self._answers = {
            kept: raw_answer(no_room(), _ANY_ID, keep_alive=kept) for kept in (False, True)
        }
        self._untold = 0
        self._tell_from = 0.0

    def applies_to(self, method: bytes, target: bytes, headers: Headers) -> bool:
        """Tell whether this request finds no room and can be refused without the application."""
        return (
            self._lane.is_spoken_for
            and self._is_submission(method, target)
            and not any(name == b"origin" for name, _ in headers)
        )

    def note_whole(self, method: bytes, target: bytes) -> None:
        """Note that a request has arrived whole, and that the application will begin with it."""
        if self._is_submission(method, target):
            self._lane.expect()

    def answer(self, headers: Headers, *, keep_alive: bool) -> bytes:
        """Return the answer to such a request, as bytes for the network, and count it."""
        self._count("POST", 503)
        self._tell()
        request_id = request_id_from(headers)
        if len(request_id) != len(_ANY_ID):
            return raw_answer(no_room(), request_id, keep_alive=keep_alive)
        return self._answers[keep_alive].replace(_ANY_ID.encode(), request_id.encode())

    def _is_submission(self, method: bytes, target: bytes) -> bool:
        return method == b"POST" and target.partition(b"?")[0] == self._target

    def _tell(self) -> None:
        self._untold += 1
        now = time.monotonic()
        if now >= self._tell_from:
            _log.warning("submissions_refused", count=self._untold)
            self._untold = 0
            self._tell_from = now + _SECONDS_BETWEEN_LINES
