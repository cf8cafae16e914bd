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

    At work is a request from when it has been read whole until its answer begins: who sends or
    reads slowly keeps nobody out. Submissions, which strangers send, are counted by themselves,
    so that staff get through; the paths of `always_answered` are not counted.
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
        place = _Place(lane)
        if body_length(scope) == 0:
            place.take()

        async def receive_and_note() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                place.take()
            return message

        async def send_and_note(message: Message) -> None:
            place.give_back()
            await send(message)

        try:
            await self._app(scope, receive_and_note, send_and_note)
        finally:
            place.give_back()


class _Lane:
    """Requests of one kind."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.at_work = 0


class _Place:
    """One request's place in its lane; taken once, given back once."""

    def __init__(self, lane: _Lane) -> None:
        self._lane = lane
        self._taken = self._given_back = False

    def take(self) -> None:
        if not self._taken and not self._given_back:
            self._taken = True
            self._lane.at_work += 1

    def give_back(self) -> None:
        if self._taken and not self._given_back:
            self._lane.at_work -= 1
        self._given_back = True
