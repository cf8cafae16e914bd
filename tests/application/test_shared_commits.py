import asyncio
import threading
from collections.abc import Sequence

import pytest

from notion_backend.application.shared_commits import SharedCommits
from notion_backend.core.errors import Unavailable
from tests.waiting import wait_until


class Store:
    """Doubles numbers; waits for `gate`; a batch with a negative number fails as a whole."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.batches.append(list(batch))
        self.gate.wait(10)
        if any(number < 0 for number in batch):
            raise ValueError("negative")
        return [2 * number for number in batch]


@pytest.fixture
def store() -> Store:
    return Store()


async def submit_behind_the_first(
    commits: SharedCommits[int, int], store: Store, items: Sequence[int]
) -> list[int | BaseException]:
    """Let the items gather while the first is being stored."""
    first = asyncio.ensure_future(commits.submit(1))
    await asyncio.to_thread(wait_until, lambda: store.batches)
    rest = [asyncio.ensure_future(commits.submit(item)) for item in items]
    await asyncio.sleep(0)
    store.gate.set()
    return await asyncio.gather(first, *rest, return_exceptions=True)


def test_what_waits_shares_one_commit(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda _: 1)
    results = asyncio.run(submit_behind_the_first(commits, store, [2, 3, 4]))
    commits.close()
    assert results == [2, 4, 6, 8]
    assert store.batches == [[1], [2, 3, 4]]


def test_a_failing_batch_is_done_again_one_by_one(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda _: 1)
    results = asyncio.run(submit_behind_the_first(commits, store, [2, -3, 4]))
    commits.close()
    assert results[:2] == [2, 4]
    assert isinstance(results[2], ValueError)
    assert results[3] == 8
    assert store.batches == [[1], [2, -3, 4], [2], [-3], [4]]


def test_a_batch_is_bounded_in_number_and_in_weight(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda number: number, largest_batch=3, heaviest_batch=100)
    asyncio.run(submit_behind_the_first(commits, store, [5, 5, 5, 5, 70, 70, 500, 1]))
    commits.close()
    assert store.batches == [[1], [5, 5, 5], [5, 70], [70], [500], [1]]


def test_a_line_that_is_full_refuses_at_once(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda _: 1, longest_line=2)
    results = asyncio.run(submit_behind_the_first(commits, store, [2, 3, 4]))
    commits.close()
    assert results[:3] == [2, 4, 6]
    assert isinstance(results[3], Unavailable)


def test_closing_stores_what_waits(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda _: 1)

    async def close_while_one_waits() -> list[int]:
        waiting = [asyncio.ensure_future(commits.submit(number)) for number in (1, 2)]
        await asyncio.sleep(0)
        store.gate.set()
        await asyncio.to_thread(commits.close)
        return await asyncio.gather(*waiting)

    assert asyncio.run(close_while_one_waits()) == [2, 4]


def test_who_hangs_up_before_its_turn_is_not_stored(store: Store) -> None:
    commits = SharedCommits(store, weigh=lambda _: 1)

    async def hang_up() -> None:
        first = asyncio.ensure_future(commits.submit(1))
        await asyncio.to_thread(wait_until, lambda: store.batches)
        second = asyncio.ensure_future(commits.submit(2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        store.gate.set()
        assert await first == 2

    asyncio.run(hang_up())
    commits.close()
    assert store.batches == [[1]]


class Down(Store):
    """Can store nothing at all."""

    def __call__(self, batch: Sequence[int]) -> list[int]:
        super().__call__(batch)
        raise Unavailable("The disk is full.", retry_after=5)


def test_where_nothing_can_be_stored_whoever_waits_is_told_at_once() -> None:
    store = Down()
    commits = SharedCommits(store)
    answers = asyncio.run(submit_behind_the_first(commits, store, [2, 3, 4]))
    commits.close()
    assert len(answers) == 4
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert store.batches == [[1]], "who waited behind the first did not wait for the same again"
