"""How large a body may be, and how slowly it may come."""

import asyncio
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.core.errors import BusinessError, MalformedRequest, TooLarge
from notion_backend.core.sentences import say
from notion_backend.presentation.errors import RequestTimeout, response_to

DEFAULT_MAX_BYTES = 64 * 1024
JSON_MAX_BYTES = 2 * 1024 * 1024
"""So much is read to the end, so that a field that is too long is told by its name."""
SLOWEST_BYTES_PER_SECOND = 1024
WINDOW_SECONDS = 30.0


class BodyGuard:
    """Refuses a body over `max_bytes` (413; a urlencoded form 400) and one that dawdles (408).

    A body dawdles when less than SLOWEST_BYTES_PER_SECOND arrives over `window_seconds` of waiting
    for it. A POST to one of `own_body_paths` is limited in size by its route.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        own_body_paths: Collection[str] = (),
        max_bytes: int = DEFAULT_MAX_BYTES,
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self._app = app
        self._own_body_paths = frozenset(own_body_paths)
        self._max_bytes = max_bytes
        self._window_seconds = window_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        length = body_length(scope) if scope["type"] == "http" else 0
        if length == 0:
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope)
        if limit is not None and length is not None and length > limit:
            await response_to(scope, _too_large(scope, limit))(scope, receive, send)
            return
        body = _GuardedBody(scope, receive, send, limit, self._window_seconds)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            if body.refusal is None:
                raise
        if body.refusal is not None and not body.answered:
            await response_to(scope, body.refusal)(scope, receive, send)

    def _limit(self, scope: Scope) -> int | None:
        if scope["method"] == "POST" and scope["path"] in self._own_body_paths:
            return None
        if Headers(scope=scope).get("content-type", "").startswith("application/json"):
            return max(self._max_bytes, JSON_MAX_BYTES)
        return self._max_bytes


class _GuardedBody:
    """Counts and times one body.

    Once it is refused, the application is told that the client went away, and whatever it answers
    to that is dropped: the refusal is the answer.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limit: int | None, window: float
    ) -> None:
        self.refusal: BusinessError | None = None
        self.answered = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limit = limit
        self._window = window
        self._waited = 0.0
        self._in_window = 0
        self._received = 0
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        message = await self._in_time()
        if message["type"] != "http.request":
            return message
        size = len(message.get("body", b""))
        self._in_window += size
        self._received += size
        self._complete = not message.get("more_body", False)
        if self._limit is not None and self._received > self._limit:
            return self._refuse(_too_large(self._scope, self._limit))
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is not None and not self.answered:
            return
        self.answered = True
        await self._send(message)

    async def _in_time(self) -> Message:
        clock = asyncio.get_running_loop().time
        while True:
            asked = clock()
            try:
                async with asyncio.timeout(self._window - self._waited):
                    message = await self._receive()
            except TimeoutError:
                if self._in_window < self._window * SLOWEST_BYTES_PER_SECOND:
                    seconds = round(self._window)
                    sentence = say(
                        "Less than {bytes} bytes a second came in {seconds} seconds; try again over"
                        " a better connection.",
                        bytes=SLOWEST_BYTES_PER_SECOND,
                        seconds=seconds,
                    )
                    return self._refuse(RequestTimeout(sentence))
                self._waited, self._in_window = 0.0, 0
            else:
                # Only waiting counts: the time the application takes is not the client's fault.
                self._waited = min(self._waited + clock() - asked, self._window)
                return message

    def _refuse(self, refusal: BusinessError) -> Message:
        self.refusal = refusal
        self._complete = True
        self._receive = _gone
        return {"type": "http.disconnect"}


async def _gone() -> Message:
    return {"type": "http.disconnect"}


def body_length(scope: Scope) -> int | None:
    """Return the length of the body in bytes, None where only its end will tell."""
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length" and value.isdigit():
            length = int(value)
    return length


def _too_large(scope: Scope, limit: int) -> BusinessError:
    for name, value in scope["headers"]:
        if name == b"content-type" and value.lower().startswith(b"application/x-www-form-urlenc"):
            return MalformedRequest(
                say("A form here has at most {limit} bytes; send fewer fields.", limit=limit)
            )
    return TooLarge(say("A request here has at most {limit} bytes; send less.", limit=limit))
