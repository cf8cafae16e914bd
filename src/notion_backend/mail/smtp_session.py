"""Opening an SMTP session: connection, greeting, TLS, sign-in."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from notion_backend.mail.connection import Connection, describe
from notion_backend.mail.sender import MailOutage

Security = Literal["starttls", "tls", "none"]

_READY = 220
_COMPLETED = 250
_UNKNOWN_COMMAND = range(500, 505)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. With an empty `username` nobody signs in."""

    host: str
    port: int = 587
    security: Security = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ehlo_name: str = ""
    """What we call ourselves; empty: this machine's name if it is a full one, else its address."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase may last as a whole, in seconds (RFC 5321 §4.5.3.2)."""

    connect: float = 30.0
    """The TCP connection and TLS from the first byte; the resolver has its own time for names."""
    command: float = 60.0
    """The greeting, each command with its reply, the whole sign-in."""
    data: float = 180.0
    """DATA with its reply; then the message up to the final dot."""
    dot: float = 600.0
    """The final dot with its reply."""


def open_session(server: SmtpServer, timeouts: Timeouts, context: ssl.SSLContext) -> Connection:
    """Return a connection that is ready for MAIL.

    TLS that was asked for is verified and never given up for plain text.

    Raises:
        MailOutage: at whatever stage it failed.
    """
    connection = Connection(server.ehlo_name)
    stage = "connect"
    try:
        connection.allow(timeouts.connect)
        connection.open(server.host, server.port, context if server.security == "tls" else None)
        stage = "banner"
        connection.allow(timeouts.command)
        _expect(_READY, *connection.getreply())
        stage = "ehlo"
        _introduce(connection, timeouts)
        if server.security == "starttls":
            stage = "starttls"
            _secure(connection, timeouts, context, server.host)
            stage = "ehlo"
            _introduce(connection, timeouts)
        if server.username:
            stage = "auth"
            _sign_in(connection, timeouts, server)
    # smtplib's exceptions are OSErrors; a name that cannot be encoded is a ValueError.
    except (OSError, ValueError) as error:
        connection.close()
        raise MailOutage(stage, describe(error)) from error
    return connection


def _introduce(connection: Connection, timeouts: Timeouts) -> None:
    connection.allow(timeouts.command)
    code, text = connection.ehlo()
    if code in _UNKNOWN_COMMAND:
        connection.allow(timeouts.command)
        code, text = connection.helo()
    _expect(_COMPLETED, code, text)


def _secure(connection: Connection, timeouts: Timeouts, context: ssl.SSLContext, host: str) -> None:
    if not connection.has_extn("starttls"):
        raise ValueError("the server does not offer STARTTLS, and SMTP_SECURITY demands it")
    connection.allow(timeouts.command)
    _expect(_READY, *connection.start_tls(context, host))


def _sign_in(connection: Connection, timeouts: Timeouts, server: SmtpServer) -> None:
    if not (server.username + server.password).isascii():
        raise ValueError("SMTP_USERNAME and SMTP_PASSWORD may hold ASCII characters only")
    connection.allow(timeouts.command)
    connection.login(server.username, server.password)


def _expect(expected: int, code: int, text: bytes) -> None:
    if code != expected:
        words = text.decode("utf-8", "replace")
        raise ValueError(f"{code} {words}" if code > 0 else f"not an SMTP reply: {words}")
