"""A mail server that misbehaves for one recipient, and exchanges that are held at one point."""

import threading
from collections.abc import Sequence

from tests.servers.smtp_script import Step
from tests.servers.smtp_sink import SmtpSink


def answer_one(sink: SmtpSink, answers: dict[str, tuple[str, Sequence[Step]]]) -> None:
    """Give some recipients answers of their own.

    Args:
        sink: the server.
        answers: by recipient the stage (rcpt, data, body or dot) and the answers there, used up one
            at a time; then the usual answer comes back.
    """
    left = {recipient: list(steps) for recipient, (_, steps) in answers.items()}
    current = threading.local()  # each connection has its own thread

    def answer(stage: str, line: str) -> Step | None:
        if stage == "rcpt":
            current.recipient = line[line.index("<") + 1 : line.rindex(">")]
        recipient = current.recipient
        if recipient in answers and answers[recipient][0] == stage and left[recipient]:
            return left[recipient].pop(0)
        return None

    for stage in ("rcpt", "data", "body", "dot"):
        sink.script[stage] = lambda line, stage=stage: answer(stage, line)


class Gate:
    """Holds every exchange at one stage of SMTP, before its reply, until it is opened."""

    def __init__(self, sink: SmtpSink, stage: str) -> None:
        self._open = threading.Event()
        self._lock = threading.Lock()
        self.held = 0
        """How many stand there, or stood there until it was opened."""
        sink.script[stage] = self._pass

    def open(self) -> None:
        """Let go of those that stand here and hold no more."""
        self._open.set()

    def _pass(self, _: str) -> Step | None:
        if not self._open.is_set():
            with self._lock:
                self.held += 1
            self._open.wait(60)
        return None
