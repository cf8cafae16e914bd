import threading
import time

import pytest

from notion_backend.core.errors import Unavailable
from notion_backend.data.turns import Turns
from tests.waiting import wait_until


def test_turns_are_handed_on_in_the_order_of_asking() -> None:
    turns = Turns(patience=10)
    served: list[int] = []
    asked = threading.Semaphore(0)

    def ask(number: int) -> None:
        asked.release()
        turns.take()
        served.append(number)
        turns.end()

    turns.take()
    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        asked.acquire()
        wait_until(lambda number=number: len(turns._line) == number + 1)
    turns.end()
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_who_is_in_a_hurry_comes_first_and_after_each_one_who_is_not() -> None:
    turns = Turns(patience=10)
    served: list[str] = []

    def ask(name: str, urgent: bool) -> None:
        turns.take(urgent=urgent)
        served.append(name)
        turns.end()

    turns.take()
    threads = []
    for name, urgent in (("first", False), ("hurry", True), ("second", False), ("hurry too", True)):
        threads.append(threading.Thread(target=ask, args=(name, urgent)))
        threads[-1].start()
        wait_until(lambda: len(turns._line) + len(turns._urgent) == len(threads))
    turns.end()
    for thread in threads:
        thread.join(10)
    assert served == ["hurry", "first", "hurry too", "second"]


def test_patience_ends_and_the_line_goes_on() -> None:
    turns = Turns(patience=0.05)
    turns.take()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        turns.take()
    assert time.monotonic() - started < 5
    turns.end()
    turns.take()
    turns.end()
