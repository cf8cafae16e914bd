"""One SMTP connection whose every phase ends in time, however slowly the other side speaks."""

import smtplib
import socket
import ssl
import time
from typing import Any, NoReturn

_REPLY_BYTES = 64 * 1024
_CHUNK_BYTES = 16 * 1024


class Connection(smtplib.SMTP):
    """`smtplib.SMTP` with a deadline for a whole phase instead of one for each receive.

    Call `allow(seconds)` before each phase. The standard client starts its timeout anew at every
    byte, so a server that sends one a second would hold it for ever; replies are bounded too.
    """

    def __init__(self, ehlo_name: str = "") -> None:
        super().__init__(local_hostname=ehlo_name)
        self.command_encoding = "utf-8"
        self._deadline = 0.0
        self._received = bytearray()

    def allow(self, seconds: float) -> None:
        """Give the phase that begins now this long."""
        self._deadline = time.monotonic() + seconds

    def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Connect, with TLS from the first byte (RFC 8314) if `tls` is given; the greeting waits.

        Raises:
            OSError, ValueError: name unknown, refused, out of time, or TLS not established.
        """
        self.sock = self._dial(host, port)
        if tls is not None:
            self._wrap(tls, host)
        # The final dot is a small write of its own; Nagle's algorithm would hold it for 40 ms.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # RFC 5321 §4.1.4: a client without a name of its own gives its address.
        self.local_hostname = self.local_hostname or _own_name(self.sock)

    def start_tls(self, context: ssl.SSLContext, host: str) -> tuple[int, bytes]:
        """Ask for TLS, and establish it when the reply is 220; the next EHLO starts from nothing.

        What arrived in the clear is forgotten (RFC 3207 §4.2), also replies sent too early.

        Raises:
            OSError, ValueError: TLS not established.
            smtplib.SMTPServerDisconnected: the connection broke, or the time is up.
        """
        code, text = self.docmd("STARTTLS")
        if code == 220:
            self._wrap(context, host)
            self._received.clear()
            self.ehlo_resp = self.helo_resp = None
            self.esmtp_features = {}
            self.does_esmtp = False
        return code, text

    def send(self, s: Any) -> None:
        """Send all of `s` before the phase ends.

        Raises:
            smtplib.SMTPServerDisconnected: the connection broke, or the time is up.
        """
        data = memoryview(s.encode(self.command_encoding) if isinstance(s, str) else s)
        try:
            for start in range(0, len(data), _CHUNK_BYTES):
                self._timed_socket().sendall(data[start : start + _CHUNK_BYTES])
        except OSError as error:
            self._give_up(error)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply, of any number of lines, before the phase ends; -1 for what is none.

        Raises:
            smtplib.SMTPServerDisconnected: the connection broke, or the time is up.
        """
        lines: list[bytes] = []
        left = _REPLY_BYTES
        while True:
            line = self._read_line()
            left -= len(line)
            lines.append(line[4:].strip())
            if not line[:3].isdigit():
                self.close()
                return -1, line.strip()
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
            if left < 0:
                self._give_up(OSError("the server's reply has no end"))

    def _dial(self, host: str, port: int) -> socket.socket:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure = OSError("the name has no address")
        for left, (*_, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return socket.create_connection((str(address[0]), port), self._remaining() / left)
            except OSError as error:
                failure = error
        raise failure

    def _wrap(self, context: ssl.SSLContext, host: str) -> None:
        plain = self._timed_socket()
        try:
            self.sock = context.wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError):
            plain.close()
            raise

    def _read_line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            try:
                received = self._timed_socket().recv(4096)
            except OSError as error:
                self._give_up(error)
            if not received:
                self._give_up(OSError("the server closed the connection"))
            self._received += received
            if len(self._received) > _REPLY_BYTES:
                self._give_up(OSError("the server's reply has no end"))
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        return line

    def _timed_socket(self) -> socket.socket:
        if self.sock is None:
            raise ConnectionError("the connection is closed")
        self.sock.settimeout(self._remaining())
        return self.sock

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("no answer in time")
        return remaining

    def _give_up(self, error: OSError) -> NoReturn:
        self.close()
        raise smtplib.SMTPServerDisconnected(describe(error)) from error


def describe(error: Exception) -> str:
    """Put a network error into words, without its number."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        return f"{error.smtp_code} {text}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _own_name(connected: socket.socket) -> str:
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = connected.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
