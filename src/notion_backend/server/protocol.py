"""Uvicorn's HTTP/1.1 protocol with deadlines and limits of its own.

Uvicorn waits for ever for a header and takes headers of any size; see `ConnectionLimits`.
"""

import asyncio
import functools
import resource
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from notion_backend.core.errors import BusinessError, MalformedRequest
from notion_backend.core.ids import new_row_id
from notion_backend.presentation.early_refusal import EarlyRefusal
from notion_backend.presentation.errors import AddressTooLong, HeadersTooLarge
from notion_backend.presentation.raw_answers import raw_answer
from notion_backend.server.lingering import LingeringTransport

_RESERVED_FILES = 256


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may cost."""

    header_seconds: float = 10.0
    """From the connection, or the first byte of a further request, to the end of its headers."""
    stall_seconds: float = 120.0
    """How long a client may take nothing of an answer that waits for it."""
    last_request_seconds: float = 1.0
    """How long a stopping server waits for a request that was under way when it was told."""
    header_bytes: int = 64 * 1024
    headers: int = 100
    address_bytes: int = 16 * 1024


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    A request that breaks a limit gets 414 or 431, one that the parser cannot read 400; then the
    connection is closed. So it is when an answer begins before its request's body has arrived.
    What the application's `state.early_refusal` applies to is answered here.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # Its line holds the query string; `RequestContext` writes one without.
        self.access_log = False
        self._line: LingeringTransport
        self._header_deadline: asyncio.TimerHandle | None = None
        self._stall_check: asyncio.TimerHandle | None = None
        self._in_headers = False
        self._header_bytes = 0
        self._keep_alive = False
        self._stopping = False
        self._deaf = False
        self._refusal: BusinessError | None = None
        state = getattr(config.loaded_app, "state", None)
        self._early_refusal: EarlyRefusal | None = getattr(state, "early_refusal", None)
        self._refused_by: EarlyRefusal | None = None
        """What answers the request that arrives now, in place of the application."""

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        self._line = LingeringTransport(transport, self._is_still_sending)
        super().connection_made(self._line)
        self._wait_for_headers()
        if len(self.connections) > max_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_timers()
        self._line.connection_lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what arrived."""
        if self._line.is_lingering or self._deaf:
            self._line.discard(len(data))
            return
        was_in_headers = self._in_headers
        super().data_received(data)
        if self._refused_by is not None and not self._deaf:
            # Its body is still to come, and nobody would read it.
            self._refuse(self._refused_by, is_whole=False)
        if self._line.is_closing() or self._deaf:
            return
        if was_in_headers and self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.header_bytes:
                self._refusal = self._oversized()
                self.send_400_response("")
                return
        if self.is_idle and self._header_deadline is None:
            self._wait_for_headers()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_headers = True
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """Serve the request, unless its headers break a limit."""
        self._in_headers = False
        self._cancel_header_deadline()
        self._check_headers()
        if self._finds_no_room():
            self._refused_by = self._early_refusal
            self.cycle = None  # type: ignore[assignment]  # as before the first request
            return
        super().on_headers_complete()
        # Only a request whose body has arrived leaves the connection ready for another one.
        self._keep_alive = self.cycle.keep_alive and not self.parser.should_upgrade()
        self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body for the application."""
        if self._refused_by is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        if self._refused_by is not None:
            self._refuse(self._refused_by, is_whole=True)
            return
        # One behind another is not begun yet, and one that is answered already takes no place.
        begins = not self.pipeline and not self.cycle.response_started
        if self._early_refusal is not None and begins:
            self._early_refusal.note_whole(self.parser.get_method(), self.url)
        if not self.cycle.response_started and not self._stopping:
            self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what cannot be read, and read no more."""
        refusal = self._refusal or MalformedRequest("Send a request as RFC 9112 defines it.")
        self._deaf = True
        self._cancel_header_deadline()
        if not self.is_idle:
            if not self.cycle.more_body:
                # It stands behind a whole request, which is answered first.
                self.cycle.keep_alive = False
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:
                # An answer now would be taken for another request's.
                self.transport.close()
                return
        self.transport.write(raw_answer(refusal, new_row_id().hex, keep_alive=False))
        self.transport.close()

    def shutdown(self) -> None:
        """Serve what has begun, then close; a request may be on its way to a new connection."""
        self._stopping = True
        cycle: RequestResponseCycle | None = self.cycle
        if self.is_idle and (cycle is None or self._in_headers):
            self.loop.call_later(self.limits.last_request_seconds, super().shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Wait for the client to take what is written."""
        super().pause_writing()
        self._watch_for_stall(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._stall_check is not None:
            self._stall_check.cancel()

    def _unsupported_upgrade_warning(self) -> None:
        # RFC 9110 §7.8 lets a server ignore an upgrade; it is nothing to be warned of.
        pass

    def _is_still_sending(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return self._deaf or (cycle is not None and cycle.more_body)

    def _finds_no_room(self) -> bool:
        early = self._early_refusal
        return (
            early is not None
            and early.applies_to(self.parser.get_method(), self.url, self.headers)
            and self.is_idle
            # The application waits for a client who takes no answers.
            and not self.flow.write_paused
            and not self.parser.should_upgrade()
        )

    def _refuse(self, early: EarlyRefusal, *, is_whole: bool) -> None:
        can_be_kept = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        keep_alive = is_whole and can_be_kept and not self._stopping
        self.transport.write(early.answer(self.headers, keep_alive=keep_alive))
        self.server_state.total_requests += 1
        self._refused_by = None
        if not keep_alive:
            self._deaf = not is_whole
            self.transport.close()

    def _wait_for_headers(self) -> None:
        self._header_deadline = self.loop.call_later(self.limits.header_seconds, self._give_up)

    def _give_up(self) -> None:
        self.transport.close()

    def _cancel_header_deadline(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def _cancel_timers(self) -> None:
        self._cancel_header_deadline()
        if self._stall_check is not None:
            self._stall_check.cancel()

    def _watch_for_stall(self, size: int) -> None:
        self._stall_check = self.loop.call_later(self.limits.stall_seconds, self._end_stalled, size)

    def _end_stalled(self, before: int) -> None:
        size = self.transport.get_write_buffer_size()
        if size >= before:
            self.transport.abort()
        else:
            self._watch_for_stall(size)

    def _check_headers(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if (
            len(self.url) > self.limits.address_bytes
            or len(self.headers) > self.limits.headers
            or size > self.limits.header_bytes
        ):
            self._refusal = self._oversized()
            raise _Refused

    def _oversized(self) -> BusinessError:
        if len(self.url) > self.limits.address_bytes:
            return AddressTooLong(f"Use an address of {self.limits.address_bytes} bytes at most.")
        return HeadersTooLarge(
            f"Send at most {self.limits.headers} headers, {self.limits.header_bytes} bytes in all."
        )

    def _make_room(self) -> None:
        others = cast("set[HttpProtocol]", self.connections)
        idle = next((other for other in others if other is not self and other.is_idle), self)
        # Until the loop has closed it, it would be found again by the next of many at once.
        others.discard(idle)
        idle.transport.abort()


class _Refused(Exception):
    """Stops the parser; `_refusal` says why."""


@functools.cache
def max_connections() -> int:
    """Return how many connections may be open at once: what the file limit of the process allows.

    One over it takes the place of one that serves no request.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, soft - _RESERVED_FILES)
