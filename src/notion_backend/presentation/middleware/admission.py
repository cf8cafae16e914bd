"""Lets no more in at once than can be answered soon, and refuses the rest at once."""

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.core.errors import Unavailable
from notion_backend.presentation.errors import response_to
from notion_backend.presentation.middleware.body_guard import body_length

MOST_SUBMISSIONS = 128
"""Two shared commits, one that is written and one that waits; more would only wait longer."""
MOST_OTHERS = 256
_RETRY_SECONDS = 2


class Admission:
    """Refuses a request with 503 and `Retry-After` while as many as `most_...` are at work.

    At work is what has been read whole and is not answered yet: a form that comes slowly keeps
    nobody out. Submissions, which strangers send, are counted by themselves, so that staff get
    through; the paths of `always_answered` are not counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        submission_paths: Collection[str],
        always_answered: Collection[str],
        most_submissions: int = MOST_SUBMISSIONS,
        most_others: int = MOST_OTHERS,
    ) -> None:
        self._app = app
        self._submission_paths = frozenset(submission_paths)
        self._always_answered = frozenset(always_answered)
        self._submissions = _Lane(most_submissions)
        self._others = _Lane(most_others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._always_answered:
            await self._app(scope, receive, send)
            return
        is_submission = scope["method"] == "POST" and scope["path"] in self._submission_paths
        lane = self._submissions if is_submission else self._others
        if lane.at_work >= lane.most:
            error = Unavailable(
                "More arrives than can be taken. Nothing was kept; send it again shortly.",
                retry_after=_RETRY_SECONDS,
            )
            await response_to(scope, error)(scope, receive, send)
            return
        is_read = body_length(scope) == 0
        lane.at_work += is_read

        async def receive_and_note() -> Message:
            nonlocal is_read
            message = await receive()
            if not is_read and not message.get("more_body", False):
                is_read = True
                lane.at_work += 1
            return message

        try:
            await self._app(scope, receive_and_note, send)
        finally:
            lane.at_work -= is_read


class _Lane:
    """Requests of one kind."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.at_work = 0
