"""A transport that closes so that the client still reads the answer."""

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_SECONDS = 2.0
LINGER_BYTES = 256 * 1024 * 1024
"""What is thrown away while lingering, at most; more would cost too much time."""


class LingeringTransport(asyncio.Transport):
    """Closes in two steps while the client may still be sending (RFC 9112 §9.6).

    Closing a socket with unread bytes in it resets the connection, and the reset can destroy the
    answer on its way. So the sending side is closed first and what arrives is thrown away, until
    the client closes too or LINGER_SECONDS are over.
    """

    def __init__(self, transport: asyncio.Transport, is_still_sending: Callable[[], bool]) -> None:
        super().__init__()
        self._transport = transport
        self._is_still_sending = is_still_sending
        self._closing = False
        self._end: asyncio.TimerHandle | None = None
        self._discarded = 0

    @property
    def is_lingering(self) -> bool:
        """Whether the answer is out and what arrives is to be thrown away."""
        return self._end is not None

    def close(self) -> None:
        """Send what is written, then close; linger if the client may still be sending."""
        if self._closing:
            return
        self._closing = True
        if self._transport.is_closing() or not self._is_still_sending():
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        loop = asyncio.get_running_loop()
        self._end = loop.call_later(LINGER_SECONDS, self._transport.close)

    def discard(self, size: int) -> None:
        """Note that `size` bytes arrived and were thrown away."""
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            self._transport.abort()

    def connection_lost(self) -> None:
        """Stop waiting: the connection is gone."""
        self._closing = True
        if self._end is not None:
            self._end.cancel()

    def abort(self) -> None:
        """Close at once, whatever was not sent."""
        self._closing = True
        self._transport.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, unless closing."""
        if not self._closing:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether no more may be written."""
        return self._closing or self._transport.is_closing()

    def pause_reading(self) -> None:
        """Let the client wait."""
        if not self._closing:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the client."""
        if not self._closing:
            self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes were written and not yet taken by the network."""
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the real transport knows of `name`."""
        return self._transport.get_extra_info(name, default)
