"""What the loader has asked for and what it was told: the only witness that is never killed."""

import functools
import hashlib
import json
import random
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Intent:
    """A submission; its address is its own, so that a lead can be told by it."""

    number: int
    round: int
    key: str | None
    first_name: str
    last_name: str
    email: str
    filename: str
    resume_size: int

    @property
    def resume(self) -> bytes:
        """The résumé's content, made anew each time: a long run has gigabytes of them."""
        return random.Random(self.email).randbytes(self.resume_size // 2).hex().encode()

    @functools.cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.resume).hexdigest()


class Ledger:
    """Intents before they are sent, acknowledgements after their whole answer was read."""

    def __init__(self, file: Path) -> None:
        self.intents: dict[str, Intent] = {}
        """By address."""
        self.acks: dict[str, set[str]] = {}
        """References that were acknowledged for an address."""
        self._lock = threading.Lock()
        self._stream = file.open("a", encoding="utf-8")

    def intend(self, intent: Intent) -> None:
        digest = intent.sha256
        with self._lock:
            self.intents[intent.email] = intent
            self._write("intent", intent.email, intent.key, digest)

    def acknowledge(self, intent: Intent, reference: str) -> None:
        with self._lock:
            self.acks.setdefault(intent.email, set()).add(reference)
            self._write("ack", intent.email, reference)

    def unanswered(self, round_number: int) -> list[Intent]:
        """Intents of a round that were not acknowledged."""
        return [
            intent
            for intent in self.intents.values()
            if intent.round == round_number and intent.email not in self.acks
        ]

    def acknowledged(self, round_number: int) -> list[Intent]:
        return [
            self.intents[email] for email in self.acks if self.intents[email].round == round_number
        ]

    def close(self) -> None:
        self._stream.close()

    def _write(self, *entry: str | None) -> None:
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()
