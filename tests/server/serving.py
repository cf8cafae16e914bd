"""Our server in a thread with any application, and requests byte by byte over real sockets."""

import asyncio
import functools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp
from uvicorn.server import Server

from notion_backend.server.protocol import HttpProtocol
from notion_backend.server.run import ServerConfig, bind
from tests.waiting import wait_until


@dataclass(frozen=True)
class Running:
    """Where a server answers, and the server itself."""

    port: int
    server: Server

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def answer_to(self, *pieces: bytes) -> bytes:
        """Send the pieces on a connection of their own and return all that comes until its end."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
            return read_all(connection)


@contextmanager
def serving(
    create: Callable[[], ASGIApp], protocol: type[HttpProtocol] = HttpProtocol
) -> Iterator[Running]:
    """Serve an application on a port of its own."""
    listener = bind("127.0.0.1", 0)
    config = ServerConfig(
        functools.partial(create),
        factory=True,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield Running(listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


class _Server(Server):
    """Ends at once where uvicorn looks every 100 ms whether it should."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110 - another thread says so
            await asyncio.sleep(0.01)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def read_answer(connection: socket.socket) -> bytes:
    """Read one answer that has a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = (
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    """Return the status of an answer, 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0
