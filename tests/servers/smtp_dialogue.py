"""The server's side of one SMTP connection (RFC 5321)."""

import base64
import socket
import ssl
import struct

from tests.servers.smtp_script import Action, Received, SinkState


class Dialogue:
    """One connection, from its greeting to its end."""

    def __init__(self, sink: SinkState, connection: socket.socket, number: int) -> None:
        self._sink = sink
        self._socket = connection
        self._number = number
        self._received = bytearray()
        self._user = ""
        self._ended = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._smtputf8 = False

    def run(self) -> None:
        """Talk until one side ends it. Raises OSError or EOFError when the client goes away."""
        self._reply("banner", "", "220 sink.example ESMTP")
        while not self._ended:
            line = self._read_until(b"\r\n").decode("utf-8", "replace")
            self._sink.commands.append(line)
            verb = line.split(" ")[0].split(":")[0].lower()
            handler = {
                "ehlo": self._ehlo,
                "helo": self._helo,
                "starttls": self._starttls,
                "auth": self._auth,
                "mail": self._mail,
                "rcpt": self._rcpt,
                "data": self._data,
                "rset": self._rset,
                "noop": lambda line: self._reply("noop", line, "250 2.0.0 ok"),
                "quit": self._quit,
            }.get(verb, self._unknown)
            handler(line)

    def cut(self) -> None:
        """End the connection, from another thread."""
        try:
            # Not the TLS layer's own shutdown: the session's thread is reading through it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def _ehlo(self, line: str) -> None:
        self._forget()
        lines = ["sink.example", "8BITMIME", "SIZE 35882577"]
        if self._sink.smtputf8:
            lines.append("SMTPUTF8")
        if self._sink.tls is not None and not self._is_secure:
            lines.append("STARTTLS")
        if self._sink.users is not None:
            lines.append("AUTH PLAIN LOGIN")
        usual = [f"250-{each}" for each in lines[:-1]] + [f"250 {lines[-1]}"]
        self._reply("ehlo", line, "\r\n".join(usual))

    def _helo(self, line: str) -> None:
        self._forget()
        self._reply("helo", line, "250 sink.example")

    def _starttls(self, line: str) -> None:
        if self._sink.tls is None:
            self._reply("starttls", line, "502 5.5.1 no TLS here")
        elif self._reply("starttls", line, "220 2.0.0 go ahead"):
            # Reading ahead is not done, so the socket stays whole under the TLS layer.
            self._socket = self._sink.tls.wrap_socket(self._socket, server_side=True)
            self._received.clear()

    def _auth(self, line: str) -> None:
        mechanism, *initial = line.split(" ")[1:]
        if mechanism.upper() == "PLAIN":
            answer = initial[0] if initial else self._challenge("")
            _, user, password = base64.b64decode(answer).decode().split("\0")
        else:
            first = initial[0] if initial else self._challenge("Username:")
            user = base64.b64decode(first).decode()
            password = base64.b64decode(self._challenge("Password:")).decode()
        if (self._sink.users or {}).get(user) != password:
            self._reply("auth", line, "535 5.7.8 authentication failed")
        elif self._reply("auth", line, "235 2.7.0 welcome"):
            self._user = user

    def _challenge(self, words: str) -> str:
        self._write(f"334 {base64.b64encode(words.encode()).decode()}")
        return self._read_until(b"\r\n").decode("ascii")

    def _mail(self, line: str) -> None:
        if self._sink.users is not None and not self._user:
            self._reply("mail", line, "530 5.7.0 authentication required")
        elif self._sender is not None:
            self._reply("mail", line, "503 5.5.1 nested MAIL")
        elif self._reply("mail", line, "250 2.1.0 ok"):
            self._sender = _path(line)
            self._smtputf8 = "SMTPUTF8" in line.upper()

    def _rcpt(self, line: str) -> None:
        if self._sender is None:
            self._reply("rcpt", line, "503 5.5.1 MAIL first")
        elif not line.isascii() and not self._smtputf8:
            self._reply("rcpt", line, "553 5.6.7 SMTPUTF8 needed")
        elif self._reply("rcpt", line, "250 2.1.5 ok"):
            self._recipients.append(_path(line))

    def _data(self, line: str) -> None:
        if not self._recipients:
            self._reply("data", line, "503 5.5.1 RCPT first")
            return
        if not self._reply("data", line, "354 end with a dot"):
            return
        if self._sink.next_step("body", "") is not None:
            self._end("reset")
            return
        self._received[:0] = b"\r\n"
        stuffed = self._read_until(b"\r\n.\r\n") + b"\r\n"
        data = stuffed.replace(b"\r\n.", b"\r\n")[2:]
        self._reply("dot", "", "250 2.0.0 kept", kept_data=data)
        self._forget()

    def _rset(self, line: str) -> None:
        self._forget()
        self._reply("rset", line, "250 2.0.0 ok")

    def _quit(self, line: str) -> None:
        self._reply("quit", line, "221 2.0.0 bye")
        self._ended = True

    def _unknown(self, line: str) -> None:
        self._reply("unknown", line, "502 5.5.2 what?")

    def _reply(self, stage: str, line: str, usual: str, kept_data: bytes | None = None) -> bool:
        """Say what the script wants, else the usual; tell whether it was a yes."""
        step = self._sink.next_step(stage, line)
        action = step if isinstance(step, Action) else Action(reply=step)
        reply = usual if action.reply is None else action.reply
        if action.delay:
            self._sink.stopped.wait(action.delay)
        if kept_data is not None and (reply[:1] == "2" or not reply):
            for recipient in self._recipients:
                self._keep(recipient, kept_data)
        if reply:
            self._write(reply, action.byte_delay)
        self._end(action.end)
        if reply.startswith("421"):
            self._ended = True
        return not self._ended and reply[:1] in {"2", "3"}

    def _keep(self, recipient: str, data: bytes) -> None:
        self._sink.keep(
            Received(
                sender=self._sender or "",
                recipient=recipient,
                data=data,
                smtputf8=self._smtputf8,
                tls=self._is_secure,
                user=self._user,
                connection=self._number,
            )
        )

    def _end(self, how: str) -> None:
        if how == "hang":
            while not self._sink.stopped.is_set() and self._socket.recv(4096):
                continue
        if how == "reset":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.close()
        self._ended = self._ended or bool(how)

    def _write(self, reply: str, byte_delay: float = 0.0) -> None:
        data = f"{reply}\r\n".encode()
        if not byte_delay:
            self._socket.sendall(data)
            return
        for byte in data:
            if self._sink.stopped.wait(byte_delay):
                return
            self._socket.sendall(bytes([byte]))

    def _read_until(self, end: bytes) -> bytes:
        while (at := self._received.find(end)) < 0:
            received = self._socket.recv(65536)
            if not received:
                raise EOFError
            self._received += received
        line = bytes(self._received[:at])
        del self._received[: at + len(end)]
        return line

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []
        self._smtputf8 = False

    @property
    def _is_secure(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)


def _path(line: str) -> str:
    return line[line.index("<") + 1 : line.rindex(">")]
