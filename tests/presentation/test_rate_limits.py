"""Rate limits in this process and through a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from notion_backend.core.errors import RateLimited
from notion_backend.core.rates import Rate
from notion_backend.presentation.rate_limits import MemoryWindows, RateLimiter, client_key
from tests.servers.process import free_port
from tests.servers.redis import RedisServer

SLOW = Rate(3, 60)


@asynccontextmanager
async def limiter(url: str = "") -> AsyncIterator[RateLimiter]:
    limits = RateLimiter(url)
    try:
        yield limits
    finally:
        await limits.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


async def allowed(limits: RateLimiter, key: str, rate: Rate | None, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            await limits.hit("intake", key, rate)
        except RateLimited:
            continue
        count += 1
    return count


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "memory" else str(request.getfixturevalue("redis_url"))


def test_a_rate_is_exact_for_each_key_and_each_limit(url: str) -> None:
    async def test() -> None:
        async with limiter(url) as limits:
            assert await allowed(limits, "a", SLOW, 5) == 3
            assert await allowed(limits, "b", SLOW, 5) == 3
            await limits.hit("login", "a", SLOW)

    run(test)


def test_a_refusal_says_when_to_come_back_and_then_it_is_true(url: str) -> None:
    async def test() -> None:
        async with limiter(url) as limits:
            assert await allowed(limits, "a", SLOW, 3) == 3
            with pytest.raises(RateLimited) as refused:
                await limits.hit("intake", "a", SLOW)
            assert 58 <= (refused.value.retry_after or 0) <= 60
            assert await allowed(limits, "c", Rate(1, 1), 2) == 1
            await asyncio.sleep(1.05)
            await limits.hit("intake", "c", Rate(1, 1))

    run(test)


def test_no_rate_is_no_limit(url: str) -> None:
    async def test() -> None:
        async with limiter(url) as limits:
            assert await allowed(limits, "a", None, 50) == 50

    run(test)


def test_processes_share_a_limit_through_redis(redis_url: str) -> None:
    async def test() -> None:
        async with limiter(redis_url) as one, limiter(redis_url) as other:
            assert await allowed(one, "a", SLOW, 2) + await allowed(other, "a", SLOW, 5) == 3

    run(test)


def test_without_redis_the_process_counts_by_itself_at_once(redis_server: RedisServer) -> None:
    async def test() -> None:
        async with limiter(redis_server.url) as limits:
            await limits.hit("intake", "a", SLOW)
            redis_server.kill()
            began = time.monotonic()
            assert await allowed(limits, "a", SLOW, 20) == 3
            assert time.monotonic() - began < 0.5

    run(test)


def test_a_redis_that_does_not_answer_costs_a_tenth_of_a_second(redis_server: RedisServer) -> None:
    async def test() -> None:
        import signal

        async with limiter(redis_server.url) as limits:
            await limits.hit("intake", "a", SLOW)
            redis_server.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            assert await allowed(limits, "a", SLOW, 20) == 3
            assert time.monotonic() - began < 0.5
            redis_server.send_signal(signal.SIGCONT)

    run(test)


def test_a_redis_that_was_never_there_is_no_failure() -> None:
    async def test() -> None:
        async with limiter(f"redis://127.0.0.1:{free_port()}/0") as limits:
            assert await allowed(limits, "a", SLOW, 5) == 3

    run(test)


def test_what_has_passed_is_forgotten() -> None:
    windows = MemoryWindows()
    for number in range(30_000):
        windows.hit(str(number), Rate(1, 0))
    assert len(windows._hits) < 20_001


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unix", "unix"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, key: str) -> None:
    assert client_key(address) == key
