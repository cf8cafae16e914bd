"""Waiting for what another process or thread is about to do."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(predicate: Callable[[], Result], timeout: float = 10.0) -> Result:
    """Ask again and again until the answer is true, and return it.

    `timeout` is in seconds. What the predicate raises passes through.

    Raises:
        AssertionError: it was not true in time.
    """
    deadline = time.monotonic() + timeout
    pause = 0.002
    while not (result := predicate()):
        if time.monotonic() > deadline:
            name = getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"still not true after {timeout:g} s: {name}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return result
