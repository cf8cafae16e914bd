"""Refuses requests that name another host than ours (RFC 9110 §7.2)."""

import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from notion_backend.core.errors import MalformedRequest
from notion_backend.presentation.errors import response_to

_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::[0-9]{0,5})?"
)
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")


class AllowedHosts:
    """Answers only to the names in `allowed`: exact, or `*.example.com` for all below it.

    Ports are ignored, loopback names are always allowed, `*` allows every well-formed name.
    """

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str]) -> None:
        self._app = app
        names = [name.lower() for name in allowed]
        self._any = "*" in names
        self._exact = frozenset(names)
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._is_ours = lru_cache(maxsize=256)(self._matches)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or not self._is_ours(hosts[0]):
                error = MalformedRequest("Send one Host header that names this service.")
                await response_to(scope, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _matches(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host.decode("latin-1").lower())
        if match is None:
            return False
        name = match["name"].removesuffix(".")
        return (
            self._any
            or name in self._exact
            or name.endswith(self._suffixes)
            or _LOOPBACK.fullmatch(name) is not None
        )
