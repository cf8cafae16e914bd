"""Thirty-two clients that submit forms while processes die."""

import http.client
import json
import random
import threading
from collections.abc import Sequence
from contextlib import closing

from tests.crash.ledger import Intent, Ledger

CLIENTS = 32
SUBMISSIONS_EACH = 2
_BOUNDARY = "crash-boundary"
_ANSWER_SECONDS = 20
_SIZES = (*(200, 2_000, 20_000, 20_000) * 4, 1_500_000)
"""Bytes of a résumé; a large one, whose body comes in many pieces, now and then."""

Answered = tuple[int, dict[str, str], bytes]
"""Status, headers by lower-case name, body."""


class Loader:
    """Sends intents to any of the ports and writes down what it was told."""

    def __init__(self, ledger: Ledger, ports: Sequence[int], seed: int) -> None:
        self._ledger = ledger
        self._ports = ports
        self._seed = seed
        self._numbers = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.refused: list[tuple[int, bytes]] = []
        """Answers that were neither 201 nor 503."""

    def start(self, round_number: int) -> None:
        """Begin the submissions of a round."""
        self._threads = [
            threading.Thread(target=self._client, args=(round_number, number))
            for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every submission of the round was answered or broken off."""
        for thread in self._threads:
            thread.join()

    def send(self, intent: Intent) -> Answered | None:
        """Send one form; return the whole answer, None where none came."""
        port = random.choice(self._ports)
        try:
            with closing(
                http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
            ) as connection:
                connection.request("POST", "/api/v1/leads", _body(intent), _headers(intent))
                answer = connection.getresponse()
                body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        if answer.status == http.client.CREATED:
            self._ledger.acknowledge(intent, json.loads(body)["reference"])
        elif answer.status != http.client.SERVICE_UNAVAILABLE:
            self.refused.append((answer.status, body))
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, body

    def submit(self, round_number: int, chance: random.Random) -> Answered | None:
        """Write down a new form and send it; return the whole answer, None where none came."""
        intent = self._new_intent(round_number, chance)
        self._ledger.intend(intent)
        return self.send(intent)

    def _client(self, round_number: int, client: int) -> None:
        chance = random.Random(f"{self._seed}/{round_number}/{client}")
        for _ in range(SUBMISSIONS_EACH):
            self.submit(round_number, chance)

    def _new_intent(self, round_number: int, chance: random.Random) -> Intent:
        with self._lock:
            self._numbers += 1
            number = self._numbers
        size = chance.choice(_SIZES)
        return Intent(
            number=number,
            round=round_number,
            # One in five sends no key: then an answer that was lost leaves it open.
            key=f"{self._seed}-{number}" if chance.random() < 0.8 else None,
            first_name=f"Zoë {number}",
            last_name=chance.choice(("Ångström", "O'Brien", "山田", "Null")),
            email=f"p{number}-s{self._seed}@example.com",
            filename=f"résumé {number}.txt",
            resume_size=size,
        )


def _headers(intent: Intent) -> dict[str, str]:
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return headers | ({"Idempotency-Key": intent.key} if intent.key else {})


def _body(intent: Intent) -> bytes:
    fields = {
        "first_name": intent.first_name,
        "last_name": intent.last_name,
        "email": intent.email,
    }
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="resume"; '
        f'filename="{intent.filename}"\r\n\r\n'
    )
    return "".join([*parts, head]).encode() + intent.resume + f"\r\n--{_BOUNDARY}--\r\n".encode()
