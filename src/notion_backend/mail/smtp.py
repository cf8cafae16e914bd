"""Handing messages in over SMTP (RFC 5321), on one connection that is kept between them."""

import smtplib
import ssl
import time
from collections.abc import Callable

from notion_backend.mail.connection import Connection
from notion_backend.mail.messages import Message
from notion_backend.mail.sender import (
    LeaseLost,
    MailDeferred,
    MailError,
    MailOutage,
    MailRejected,
    MailUncertain,
    clean_reply,
)
from notion_backend.mail.smtp_session import SmtpServer, Timeouts, open_session

_GOODBYE_SECONDS = 1.0
_START_INPUT = 354
_CLOSING = 421  # RFC 5321 §3.8: the server closes the connection after this reply to anything.
_BAD_PARAMETER = 555
_NO_UTF8 = "5.6.7"  # RFC 6531 §3.5: addresses that are not ASCII are refused.


class SmtpSender:
    """A `Sender` over SMTP.

    A connection that the server has closed since the last message is replaced, and counts as an
    outage only when the new one fails too.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        timeouts: Timeouts | None = None,
        tls_context: ssl.SSLContext | None = None,
        messages_per_connection: int = 100,
        idle_seconds: float = 60.0,
    ) -> None:
        self._server = server
        self._timeouts = timeouts or Timeouts()
        self._context = tls_context or ssl.create_default_context()
        self._messages_per_connection = messages_per_connection
        self._idle_seconds = idle_seconds
        self._connection: Connection | None = None
        self._messages = 0
        self._used_at = 0.0
        self._is_in_transaction = False

    def send(self, message: Message, may_finish: Callable[[], bool]) -> str:
        """Hand `message` in; see `Sender`."""
        try:
            connection = self._begin(message)
            self._name_recipient(connection, message)
            self._transfer(connection, message)
            return self._finish(connection, may_finish)
        except MailError:
            raise
        except BaseException:
            # In the middle of the content nothing can be said to the server but by hanging up.
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye to the server; the next `send` connects again."""
        connection, self._connection = self._connection, None
        if connection is None or connection.sock is None:
            return
        connection.allow(_GOODBYE_SECONDS)
        try:
            connection.docmd("QUIT")
        except smtplib.SMTPServerDisconnected:
            return
        finally:
            connection.close()

    def _begin(self, message: Message) -> Connection:
        if (kept := self._kept()) is not None:
            try:
                return self._mail(kept, message)
            except MailOutage:  # perhaps of this connection alone: a new one has to tell
                self._drop()
        self._connection = open_session(self._server, self._timeouts, self._context)
        self._messages = 0
        return self._mail(self._connection, message)

    def _kept(self) -> Connection | None:
        if self._connection is None or self._connection.sock is None:
            return None
        is_idle = time.monotonic() - self._used_at > self._idle_seconds
        if is_idle or self._messages >= self._messages_per_connection:
            self.close()
        elif self._is_in_transaction:
            self._reset(self._connection)
        return self._connection

    def _reset(self, connection: Connection) -> None:
        connection.allow(self._timeouts.command)
        try:
            code, _ = connection.docmd("RSET")
        except smtplib.SMTPServerDisconnected:
            code = _CLOSING
        if code != 250:
            self._drop()

    def _mail(self, connection: Connection, message: Message) -> Connection:
        if message.needs_smtputf8 and not connection.has_extn("smtputf8"):
            raise MailRejected(
                "mail", "the server does not offer SMTPUTF8, which this address needs"
            )
        self._is_in_transaction = False
        option = " SMTPUTF8" if message.needs_smtputf8 else ""
        command = f"MAIL FROM:<{message.sender}>{option}"
        code, reply = self._ask(connection, "mail", command, self._timeouts.command, MailOutage)
        if code // 100 != 2:
            if message.needs_smtputf8 and (code == _BAD_PARAMETER or _NO_UTF8 in reply):
                raise MailRejected("mail", reply)
            raise MailOutage("mail", reply)
        self._is_in_transaction = True
        self._used_at = time.monotonic()
        return connection

    def _name_recipient(self, connection: Connection, message: Message) -> None:
        command = f"RCPT TO:<{message.recipient}>"
        code, reply = self._ask(connection, "rcpt", command, self._timeouts.command, MailDeferred)
        if code // 100 != 2:
            raise self._refusal(connection, "rcpt", code, reply)

    def _transfer(self, connection: Connection, message: Message) -> None:
        code, reply = self._ask(connection, "data", "DATA", self._timeouts.data, MailDeferred)
        if code != _START_INPUT:
            raise self._refusal(connection, "data", code, reply)
        connection.allow(self._timeouts.data)
        try:
            connection.send(_stuffed(message.data))
        except smtplib.SMTPServerDisconnected as error:
            raise MailDeferred("data", str(error), heard=False) from error

    def _finish(self, connection: Connection, may_finish: Callable[[], bool]) -> str:
        if not may_finish():
            raise LeaseLost("broken off before the final dot")
        code, reply = self._ask(connection, "dot", ".", self._timeouts.dot, MailUncertain)
        self._is_in_transaction = False
        self._messages += 1
        if code // 100 == 2:
            return clean_reply(reply)
        if code // 100 in (4, 5):
            raise self._refusal(connection, "dot", code, reply)
        connection.close()
        raise MailUncertain("dot", reply)

    def _ask(
        self,
        connection: Connection,
        stage: str,
        command: str,
        seconds: float,
        broken: type[MailError],
    ) -> tuple[int, str]:
        connection.allow(seconds)
        try:
            code, text = connection.docmd(command)
        except smtplib.SMTPServerDisconnected as error:
            raise broken(stage, str(error), heard=False) from error
        if code == _CLOSING:
            connection.close()
        words = text.decode("utf-8", "replace")
        return code, f"{code} {words}" if code > 0 else f"not an SMTP reply: {words}"

    def _refusal(self, connection: Connection, stage: str, code: int, reply: str) -> MailError:
        if code // 100 == 5:
            return MailRejected(stage, reply)
        if code // 100 != 4:
            connection.close()
        return MailDeferred(stage, reply)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _stuffed(data: bytes) -> bytes:
    """Double the dot at the start of a line (RFC 5321 §4.5.2) and end with a line break."""
    data = data if data.endswith(b"\r\n") else data + b"\r\n"
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
