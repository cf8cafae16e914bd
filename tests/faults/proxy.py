"""A TCP proxy that lets a connection fail as networks do: slow, cut, reset, silent, refused.

with Proxy(sink.port) as proxy:
    ...                       # give the program `proxy.port`
    proxy.mode = BLACK_HOLE   # at any time, for open connections too
"""

import ctypes
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

PASS = "pass"
"""Hand everything on."""
SLOW = "slow"
"""Hand on `bytes_a_second` of what the server says; what the client says passes."""
BLACK_HOLE = "black hole"
"""Take connections and bytes, and answer nothing."""

_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_DROP = struct.pack("HL", 1, ctypes.addressof(_NOTHING))
"""A filter that lets no packet in: `ret 0`, see socket(7), SO_ATTACH_FILTER."""
_PIECE = 64 * 1024
_TICK_SECONDS = 0.02


class Proxy:
    """Listens on a port of 127.0.0.1 and connects to another, one thread a direction.

    With several `targets` it takes them in turn, and the next where one refuses.
    """

    def __init__(self, *targets: int) -> None:
        self.targets = targets
        self.mode = PASS
        self.bytes_a_second = 10.0
        self.connections = 0
        """How many were taken so far."""
        self.heard: bytearray | None = None
        """What clients said, byte by byte as it was on the wire; kept once this is not None."""
        self.port = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def listen(self) -> None:
        """Take connections, on the same port as before after `refuse`."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Refuse new connections and cut those that are open."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """End every open connection as a process that ends does."""
        for one in self._take_open():
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def reset(self) -> None:
        """End every open connection with a TCP reset, as a machine that was started anew does."""
        for one in self._take_open():
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RD)  # wakes the thread that reads, and says nothing
            one.close()

    def lose(self) -> None:
        """Lose every packet that comes, as where a machine or the way to it is gone.

        Unlike with `BLACK_HOLE` nothing is acknowledged, and no connection comes about.
        """
        self._filter(_ATTACH_FILTER, _DROP)

    def find(self) -> None:
        """Lose no packet any more."""
        self._filter(_DETACH_FILTER, 0)

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed.set()
        self.refuse()

    def _filter(self, option: int, value: bytes | int) -> None:
        with self._lock:
            for one in (self._listener, *self._open):
                if one is not None:
                    with suppress(OSError):
                        one.setsockopt(socket.SOL_SOCKET, option, value)

    def _take_open(self) -> list[socket.socket]:
        with self._lock:
            taken = list(self._open)
            self._open.clear()
        return taken

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        while self.mode == BLACK_HOLE and not self._closed.is_set():
            time.sleep(_TICK_SECONDS)  # a server that comes back answers what has waited
        try:
            server = self._connect()
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.settimeout(None)
        except OSError:  # there is no server, or the client was cut meanwhile
            client.close()
            return
        with self._lock:
            self._open.add(server)
        threading.Thread(target=self._hand_on, args=(client, server, False), daemon=True).start()
        self._hand_on(server, client, True)

    def _connect(self) -> socket.socket:
        first = self.connections % len(self.targets)
        *others, last = (*self.targets[first:], *self.targets[:first])
        for target in others:
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", target), 5)
        return socket.create_connection(("127.0.0.1", last), 5)

    def _hand_on(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        try:
            while piece := source.recv(1 if is_answer and self.mode == SLOW else _PIECE):
                while self.mode == BLACK_HOLE and not self._closed.is_set():
                    time.sleep(_TICK_SECONDS)
                if self.heard is not None and not is_answer:
                    self.heard += piece
                if is_answer and self.mode == SLOW:
                    for byte in piece:
                        time.sleep(1 / self.bytes_a_second)
                        target.sendall(bytes([byte]))
                else:
                    target.sendall(piece)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {source, target}
            for one in (source, target):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
