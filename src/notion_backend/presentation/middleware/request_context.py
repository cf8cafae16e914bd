"""Gives each request its name and one line in the log."""

import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.core.ids import new_row_id
from notion_backend.presentation.errors import CLIENT_CLOSED_REQUEST

Observer = Callable[[str, int, float], None]
"""Is told of every answer: its method, its status, and the seconds it took."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_MAX_LOGGED_PATH = 300

_log = structlog.get_logger("notion_backend.access")


class RequestContext:
    """Sets `scope["state"]["request_id"]`, binds it to the log and sends it as X-Request-ID.

    A client may bring its own id of 8 to 64 letters, digits, dots, underscores and hyphens.
    The line in the log has no query string and no header: they may hold personal data. Of the
    client's address it has the network; the whole of it stands in the events of what was done.
    """

    def __init__(self, app: ASGIApp, *, observe: Observer) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_from(scope["headers"])
        header = (b"x-request-id", request_id.encode())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        finally:
            seconds = time.perf_counter() - started
            status = status or CLIENT_CLOSED_REQUEST
            self._observe(scope["method"], status, seconds)
            _log.info(
                "request",
                method=scope["method"],
                path=_path_of(scope),
                status=status,
                ms=round(seconds * 1000, 1),
                client=_network_of(scope["client"][0]) if scope.get("client") else None,
            )
            structlog.contextvars.unbind_contextvars("request_id")


def request_id_from(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the name that the client brings for its request, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return new_row_id().hex


@lru_cache(maxsize=1024)
def _network_of(client: str) -> str | None:
    """Return the client's network, IPv4 to 24 and IPv6 to 48 bits: a network is no person."""
    try:
        address = ip_address(client)
    except ValueError:  # a socket of this machine
        return None
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _path_of(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "backslashreplace")
    path = raw[:_MAX_LOGGED_PATH].decode("ascii", "backslashreplace")
    return path if path.isprintable() else path.encode("unicode_escape").decode()
