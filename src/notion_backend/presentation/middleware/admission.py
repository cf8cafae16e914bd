"""Lets no more in at once than can be answered soon, and refuses the rest at once."""

import asyncio
from collections.abc import Collection

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.core.errors import Unavailable
from notion_backend.presentation.errors import response_to
from notion_backend.presentation.middleware.body_guard import body_length

_RETRY_SECONDS = 2
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Lane:
    """Requests of one kind, of which `most` may be at work."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._expected = 0
        self.at_work = 0

    @property
    def is_full(self) -> bool:
        """Whether all places are taken."""
        return self.at_work >= self._most

    @property
    def is_spoken_for(self) -> bool:
        """Whether all places are taken, or will be by those that are expected."""
        return self.at_work + self._expected >= self._most

    def expect(self) -> None:
        """Count a request that takes its place in the next turn of the loop, when its task runs.

        A flood brings many in one turn; all of them would find the same place free.
        """
        if not self._expected:
            asyncio.get_running_loop().call_soon(self._expect_nobody)
        self._expected += 1

    def _expect_nobody(self) -> None:
        self._expected = 0


def submission_lane() -> Lane:
    """Return the lane of submissions: two shared commits, one being written and one that waits.

    More would only wait longer.
    """
    return Lane(128)


def no_room() -> Unavailable:
    """Return what whoever finds its lane full is told."""
    return Unavailable(
        "More arrives than can be answered, so this was not looked at; send it again soon.",
        retry_after=_RETRY_SECONDS,
    )


class Admission:
    """Refuses a request with 503 and `Retry-After` while its lane is full.

    At work is a request from when it has been read whole until its answer begins: who sends or
    reads slowly keeps nobody out. Submissions, which strangers send, are counted by themselves,
    so that a flood of them does not shut staff out; `always_answered` are paths that nobody waits
    for, such as those of a load balancer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        submission_paths: Collection[str],
        always_answered: Collection[str],
        submissions: Lane,
        most_others: int = 256,
    ) -> None:
        self._app = app
        self._submission_paths = frozenset(submission_paths)
        self._always_answered = frozenset(always_answered)
        self._submissions = submissions
        self._others = Lane(most_others)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._always_answered:
            await self._app(scope, receive, send)
            return
        is_submission = scope["method"] == "POST" and scope["path"] in self._submission_paths
        lane = self._submissions if is_submission else self._others
        visit = _Visit(lane, receive, send)
        if scope["method"] not in _WITH_BODY or body_length(scope) == 0:
            visit.take_place()
        elif lane.is_full:
            visit.is_refused = True
        try:
            if not visit.is_refused:
                await self._app(scope, visit.receive, visit.send)
        except ClientDisconnect:
            if not visit.is_refused:
                raise
        finally:
            visit.give_place_back()
        if visit.is_refused:
            await response_to(scope, no_room())(scope, receive, send)


class _Visit:
    """One request in its lane, where it takes a place once and gives it back once.

    One that finds no place when its body is whole is refused: the application is told that the
    client went away, and whatever it answers to that is dropped.
    """

    def __init__(self, lane: Lane, receive: Receive, send: Send) -> None:
        self.is_refused = False
        self._lane = lane
        self._receive = receive
        self._send = send
        self._has_place = self._is_over = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.take_place()
        return {"type": "http.disconnect"} if self.is_refused else message

    async def send(self, message: Message) -> None:
        if self.is_refused:
            return
        self.give_place_back()
        await self._send(message)

    def take_place(self) -> None:
        if self._has_place or self._is_over or self.is_refused:
            return
        if self._lane.is_full:
            self.is_refused = True
        else:
            self._has_place = True
            self._lane.at_work += 1

    def give_place_back(self) -> None:
        self._lane.at_work -= self._has_place
        self._has_place = False
        self._is_over = True
