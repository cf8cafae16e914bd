"""A real SMTP server on a socket that keeps what it accepts and misbehaves as it is told.

    with SmtpSink() as sink:
        sink.script["rcpt"] = "550 5.1.1 no such user"

`script` maps a stage to what happens there instead of the usual reply: a reply, an `Action`, a list
of them that is used up one at a time (then the usual reply comes back), or a function of the
command's line that returns one of these, or None for the usual reply. It may be changed at any
time. Stages: banner, ehlo, starttls, auth, mail, rcpt, data (the DATA command), body (before the
content is read), dot (after it), rset, noop, quit.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.smtp_dialogue import Dialogue
from tests.servers.smtp_script import CLOSE, HANG, RESET, Action, Received, SinkState
from tests.waiting import wait_until

__all__ = ["CLOSE", "HANG", "RESET", "Action", "Received", "SmtpSink"]


class SmtpSink(SinkState):
    """The server. `messages` and `commands` grow as they come, each connection has its thread.

    With `journal` each message is a line of JSON in that file, on stable storage before the reply
    to the final dot. A message whose reply to the dot was not 2xx is not kept; one whose connection
    ends at the dot is, as with a server whose answer was lost.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        users: Mapping[str, str] | None = None,
        smtputf8: bool = True,
        journal: Path | None = None,
    ) -> None:
        super().__init__(tls=tls, users=users, smtputf8=smtputf8, journal=journal)
        self.host = "127.0.0.1"
        self.port = port
        self.implicit_tls = implicit_tls
        self.connections = 0
        self._open: set[Dialogue] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen, on the same port as before if it was started before."""
        self.stopped.clear()
        self._listener = socket.create_server((self.host, self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept, self._listener)

    def stop(self) -> None:
        """Refuse new connections and cut those that are open."""
        self.stopped.set()
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut_connections()
        for thread in self._threads:
            thread.join(5)
        self._threads.clear()

    @property
    def open_connections(self) -> int:
        """How many connections there are now; `connections` counts all that there were."""
        with self._lock:
            return len(self._open)

    def cut_connections(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        with self._lock:
            for connection in self._open:
                connection.cut()

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:
        """Wait until `count` messages are here and return all."""
        wait_until(lambda: len(self.messages) >= count, timeout)
        return list(self.messages)

    def to(self, recipient: str) -> list[Received]:
        """Return the messages for this address."""
        return [received for received in list(self.messages) if received.recipient == recipient]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                number = self.connections
            self._begin(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        if self.implicit_tls and self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        session = Dialogue(self, connection, number)
        with self._lock:
            self._open.add(session)
        try:
            session.run()
        # The client went away or spoke no TLS: nothing to tell anybody.
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                self._open.discard(session)
            session.close()

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="smtp-sink", daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
