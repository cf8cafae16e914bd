"""Uvicorn's server with an orderly beginning and end."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Generator

import structlog
from uvicorn.server import Server

from notion_backend.core.garbage import spare_what_stays

_SWITCH_SECONDS = 0.0002
"""How long a thread that stores a batch may keep the loop waiting for the interpreter, which the
loop gives up at each read and write of a socket; Python's 5 ms would let it read 200 a second."""
_LAST_LOOKS = 3
"""Turns of the loop: one sees who waits, one takes them, one makes them connections."""

_log = structlog.get_logger(__name__)


class OrderlyServer(Server):
    """Uvicorn's server, for which a signal is an orderly end and not a death."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Catch signals, and do not raise them again once they have been obeyed."""
        with super().capture_signals():
            try:
                yield
            finally:
                self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say where."""
        await super().startup(sockets)
        spare_what_stays()
        sys.setswitchinterval(_SWITCH_SECONDS)
        for listener in sockets or ():
            address, port = listener.getsockname()[:2]
            _log.info("listening", address=address, port=port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nobody new, and see that everybody who is there is answered."""
        # Answers without an end are ended, or those that listen would be waited for.
        streams = getattr(getattr(self.config.loaded_app, "state", None), "live_streams", None)
        if streams is not None:
            streams.close()
        # Whoever waits in line is let in: closing the door would reset the connection.
        for _ in range(_LAST_LOOKS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)
