"""HTTP as bytes on a socket, so that a request may be as wrong as it likes."""

import select
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back until the server closed; status 0 where it closed without a word."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: int
    """How many bytes had gone out when the first byte of the answer came."""
    seconds: float
    """Until the first byte of the answer, or the end."""
    closed: bool

    def header(self, name: str) -> str:
        """Return the value of this header; empty where there is none."""
        return ", ".join(value for key, value in self.headers if key == name.lower())

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def exchange(
    port: int,
    data: bytes | Iterable[bytes],
    *,
    source: str = "",
    timeout: float = 15.0,
    cut: bool = False,
) -> Answer:
    """Send `data`, reading meanwhile, until the server closes or `timeout` seconds are over.

    `source` is the address to call from; with `cut` the connection is closed after the last byte.
    """
    with socket.socket() as connection:
        connection.bind((source, 0))
        connection.connect(("127.0.0.1", port))
        connection.setblocking(False)
        return _converse(connection, _pieces(data), timeout, cut=cut)


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """Write a request that is closed after its answer; `headers` are whole lines."""
    names = {line.partition(":")[0].lower() for line in headers}
    lines = [f"{method} {target} HTTP/1.1", *headers]
    if "host" not in names:
        lines.append("Host: 127.0.0.1")
    if not names & {"content-length", "transfer-encoding"} and (body or method != "GET"):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def _converse(
    connection: socket.socket, pieces: Iterator[bytes], timeout: float, *, cut: bool
) -> Answer:
    started = time.monotonic()
    received = bytearray()
    sent = sent_before = 0
    first_byte = 0.0
    pending = memoryview(next(pieces, b""))
    closed = False
    while time.monotonic() < started + timeout:
        if cut and not pending:
            break
        writing = [connection] if pending else []
        readable, writable, _ = select.select([connection], writing, [], 0.2)
        try:
            if readable:
                data = connection.recv(_CHUNK)
                if not data:
                    closed = True
                    break
                if not received:
                    sent_before, first_byte = sent, time.monotonic() - started
                received += data
            if writable:
                size = connection.send(pending)
                sent += size
                pending = pending[size:] or memoryview(next(pieces, b""))
        except (ConnectionResetError, BrokenPipeError):
            if readable or not received:
                closed = True
                break
            # It reads no more, but its answer may still be on the way.
            pending = memoryview(b"")
    if not received:
        sent_before, first_byte = sent, time.monotonic() - started
    return _parse(bytes(received), sent_before, first_byte, closed=closed)


def _parse(data: bytes, sent: int, seconds: float, *, closed: bool) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rows = head.decode("latin-1").split("\r\n")
    status = int(line.split(" ")[1]) if line else 0
    headers = [row.partition(": ")[::2] for row in rows]
    named = tuple((name.lower(), value) for name, value in headers)
    if ("transfer-encoding", "chunked") in named:
        body = _dechunked(body)
    return Answer(status, named, body, sent, seconds, closed)


def _dechunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole += body[:length]
        body = body[length + 2 :]
        if not length:
            break
    return whole


def _pieces(data: bytes | Iterable[bytes]) -> Iterator[bytes]:
    return iter([data] if isinstance(data, bytes) else data)
