"""What an SMTP sink is told to do, and what it keeps."""

import base64
import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Action:
    """What the server does in place of a plain reply.

    It waits `delay` seconds, then says `reply` (None: the usual one), each byte `byte_delay`
    seconds after the last, and then does what `end` says: "" goes on, "close" closes, "reset" sends
    a TCP reset, "hang" says no more until the client goes away or the sink stops.
    """

    reply: str | None = None
    delay: float = 0.0
    byte_delay: float = 0.0
    end: str = ""


CLOSE = Action(reply="", end="close")
RESET = Action(reply="", end="reset")
HANG = Action(reply="", end="hang")

Step = str | Action
Script = Step | list[Step] | Callable[[str], Step | None]


@dataclass(frozen=True)
class Received:
    """One accepted message: its envelope, its bytes as they were before dot-stuffing."""

    sender: str
    recipient: str
    data: bytes
    smtputf8: bool = False
    tls: bool = False
    user: str = ""
    connection: int = 0
    at: float = field(default_factory=time.time)

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return message_from_bytes(self.data, policy=policy.default)

    @cached_property
    def message_id(self) -> str:
        """Its Message-ID with the angle brackets."""
        headers = BytesHeaderParser(policy=policy.compat32).parsebytes(self.data)
        return str(headers["Message-ID"]).strip()


class SinkState:
    """What all connections of a sink share."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None,
        users: Mapping[str, str] | None,
        smtputf8: bool,
        journal: Path | None,
    ) -> None:
        self.script: dict[str, Script] = {}
        self.messages: list[Received] = []
        self.commands: list[str] = []
        self.tls = tls
        self.users = users
        self.smtputf8 = smtputf8
        self.stopped = threading.Event()
        self._journal = journal
        self._lock = threading.Lock()

    def keep(self, received: Received) -> None:
        """Record an accepted message, on stable storage if there is a journal."""
        with self._lock:
            if self._journal is not None:
                _append(self._journal, received)
            self.messages.append(received)

    def next_step(self, stage: str, line: str) -> Step | None:
        """Take what the script says for this stage; None is the usual reply."""
        with self._lock:
            step = self.script.get(stage)
            if isinstance(step, list):
                return step.pop(0) if step else None
        return step(line) if callable(step) else step


def _append(journal: Path, received: Received) -> None:
    line = {
        "sender": received.sender,
        "recipient": received.recipient,
        "message_id": received.message_id,
        "at": received.at,
        "data": base64.b64encode(received.data).decode("ascii"),
    }
    with journal.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
