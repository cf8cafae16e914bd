"""Work that arrives together is stored together: one transaction, one sync, many answers.

A stable write costs about a millisecond of disk and as much of preparation. What arrives while one
is being written waits in line and then shares the next transaction (ADR 0005): submissions, and
what became of mails.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from notion_backend.core.errors import Unavailable, is_down

Item = TypeVar("Item")
Result = TypeVar("Result")


class SharedCommits(Generic[Item, Result]):
    """Hands what waits to `store`, in a thread of its own, and its results to whoever asked.

    Args:
        store: stores all items in one transaction and returns a result for each, in order; when it
            raises, nothing of them may be stored.
        weigh: says how heavy an item is, in bytes; by default nothing weighs anything.
        largest_batch: how many items share a transaction at most.
        heaviest_batch: how many bytes share one; a heavier item goes alone.
        longest_line: how many may wait; beyond, callers are refused at once.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        weigh: Callable[[Item], int] = lambda _: 0,
        largest_batch: int = 64,
        heaviest_batch: int = 16 * 1024 * 1024,
        longest_line: int = 512,
    ) -> None:
        self._store = store
        self._weigh = weigh
        self._heaviest_batch = heaviest_batch
        self._largest_batch = largest_batch
        self._longest_line = longest_line
        self._line: deque[tuple[Item, Future[Result]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="shared-commits", daemon=True)
        self._thread.start()

    async def submit(self, item: Item) -> Result:
        """Return what `store` made of the item, once that is on stable storage.

        Raises:
            Unavailable: too many are waiting, or the service is stopping; nothing is stored.
        """
        return await asyncio.wrap_future(self._put(item))

    def wait_for(self, item: Item) -> Result:
        """Do as `submit` does, for a caller that is a thread."""
        return self._put(item).result()

    def close(self) -> None:
        """Store what waits, then stop; nothing new is taken."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _put(self, item: Item) -> Future[Result]:
        answer: Future[Result] = Future()
        with self._changed:
            if self._closing or len(self._line) >= self._longest_line:
                raise Unavailable(
                    "More arrives than can be stored. Nothing was kept; send it again shortly.",
                    retry_after=2,
                )
            self._line.append((item, answer))
            self._changed.notify()
        return answer

    def _run(self) -> None:
        while batch := self._next_batch():
            self._answer(batch)

    def _next_batch(self) -> list[tuple[Item, Future[Result]]]:
        """Wait for work; an empty batch means that the line is closed and empty."""
        with self._changed:
            while not self._line and not self._closing:
                self._changed.wait()
            batch: list[tuple[Item, Future[Result]]] = []
            weight = 0
            while self._line and len(batch) < self._largest_batch:
                weight += self._weigh(self._line[0][0])
                if batch and weight > self._heaviest_batch:
                    break
                batch.append(self._line.popleft())
            return batch

    def _take_line(self) -> list[tuple[Item, Future[Result]]]:
        """Take everybody who waits and has not hung up."""
        with self._changed:
            waiting = list(self._line)
            self._line.clear()
        return [entry for entry in waiting if entry[1].set_running_or_notify_cancel()]

    def _answer(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        # Whoever hung up before its turn is not stored; from here on it is too late to cancel.
        batch = [entry for entry in batch if entry[1].set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            results = self._store([item for item, _ in batch])
        except Exception as error:
            # One bad item must not harm the others: each again in a transaction of its own. But
            # where nothing can be stored at all, each would only wait for the same answer, and so
            # would whoever has come meanwhile.
            if is_down(error):
                batch += self._take_line()
            elif len(batch) > 1:
                for entry in batch:
                    self._answer_alone(entry)
                return
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), result in zip(batch, results, strict=True):
            answer.set_result(result)

    def _answer_alone(self, entry: tuple[Item, Future[Result]]) -> None:
        item, answer = entry
        try:
            (result,) = self._store([item])
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(result)
