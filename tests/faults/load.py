"""A steady load of submissions, with what each was answered and how long that took."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from statistics import quantiles
from types import TracebackType
from typing import Self

from tests.crash.ledger import Intent
from tests.crash.loader import Loader

REFUSED = 0
"""Stands for a status where no answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one submission was answered, `at` so many seconds after the load began."""

    at: float
    seconds: float
    status: int
    retry_after: str | None


def plain_intent(number: int, *, key: str | None = None) -> Intent:
    """Return a small submission for a test that sends its own."""
    return Intent(
        number=number,
        round=0,
        key=key,
        first_name="Zoë",
        last_name="Ångström",
        email=f"plain-{number}@example.com",
        filename="résumé.txt",
        resume_size=2_000,
    )


class Load:
    """Clients that submit one form after another, until the block is left."""

    def __init__(self, loader: Loader, *, clients: int = 4, pause: float = 0.05) -> None:
        self._loader = loader
        self._pause = pause
        self._ending = threading.Event()
        self._began = time.monotonic()
        self.answers: list[Answer] = []
        self._threads = [
            threading.Thread(target=self._client, args=(number,)) for number in range(clients)
        ]

    @property
    def statuses(self) -> Counter[int]:
        """How many submissions had which status; `REFUSED` for those without an answer."""
        return Counter(answer.status for answer in list(self.answers))

    def since(self, moment: float) -> list[Answer]:
        """Return the answers to what was sent after this moment of `now`."""
        return [answer for answer in list(self.answers) if answer.at >= moment]

    def now(self) -> float:
        """Return the seconds since the load began."""
        return time.monotonic() - self._began

    def p95(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """Return the 95th percentile of the seconds until a 201, sent between two moments."""
        took = [
            one.seconds for one in list(self.answers) if begin <= one.at < end and one.status == 201
        ]
        return quantiles(took, n=20)[-1]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        chance = random.Random(number)
        while not self._ending.wait(self._pause):
            began = time.monotonic()
            answer = self._loader.submit(round_number=0, chance=chance)
            status, headers = (answer[0], answer[1]) if answer else (REFUSED, {})
            self.answers.append(
                Answer(
                    at=began - self._began,
                    seconds=time.monotonic() - began,
                    status=status,
                    retry_after=headers.get("retry-after"),
                )
            )
