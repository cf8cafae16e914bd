"""Limits on how often one client may ask, shared through Redis where there is one.

A moving window because a rate means "at most COUNT in any SECONDS"; a fixed one lets twice as many
through around its edge, and only a moving one knows exactly when the next may come.
"""

import asyncio
import math
import time
from collections import deque
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Protocol, cast

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from notion_backend.core.errors import RateLimited
from notion_backend.core.rates import Rate
from notion_backend.core.sentences import say

REDIS_PATIENCE_SECONDS = 0.1
"""Redis may cost a request no more than this."""

REDIS_PAUSE_SECONDS = 5.0
"""After a failure Redis is left alone for so long; this process counts by itself meanwhile."""

_SWEEP_AT_KEYS = 10_000

_log = structlog.get_logger(__name__)


class RateLimiter:
    """Counts hits in Redis at `redis_url`, in this process where that is empty or out of reach."""

    def __init__(self, redis_url: str = "") -> None:
        self._memory = MemoryWindows()
        self._shared = _redis_windows(redis_url) if redis_url else None
        self._paused_until = 0.0

    async def hit(self, name: str, key: str, rate: Rate | None) -> None:
        """Count one hit of `key` on the limit `name`; `rate` None is no limit.

        Raises:
            RateLimited: the rate is used up; `retry_after` says in how many seconds one is free.
        """
        if rate is None:
            return
        wait = await self._wait(f"{name}/{key}", rate)
        if wait > 0:
            seconds = max(1, math.ceil(wait))
            raise RateLimited(
                say(
                    "There were too many requests; try again in {seconds} seconds.", seconds=seconds
                ),
                retry_after=seconds,
            )

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()

    async def _wait(self, key: str, rate: Rate) -> float:
        if self._shared is not None and time.monotonic() >= self._paused_until:
            try:
                async with asyncio.timeout(REDIS_PATIENCE_SECONDS):
                    return await self._shared.hit(key, rate)
            except (StorageError, OSError) as error:
                self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
                _log.warning("rate_limits_without_redis", error=type(error).__name__)
        return self._memory.hit(key, rate)


class MemoryWindows:
    """Moving windows in this process.

    The memory storage of `limits` goes through every key in threads at each hit, so a flood from
    many addresses would be paid twice; here a hit costs the same however many keys there are.
    """

    def __init__(self) -> None:
        self._hits: dict[str, deque[float]] = {}
        self._ends: dict[str, float] = {}
        self._sweep_at = _SWEEP_AT_KEYS

    def hit(self, key: str, rate: Rate) -> float:
        """Count a hit and return 0, or return in how many seconds one will be free."""
        now = time.monotonic()
        hits = self._hits.setdefault(key, deque())
        while hits and hits[0] <= now - rate.seconds:
            hits.popleft()
        if len(hits) >= rate.count:
            return hits[0] + rate.seconds - now
        hits.append(now)
        self._ends[key] = now + rate.seconds
        if len(self._hits) > self._sweep_at:
            self._sweep(now)
        return 0.0

    def _sweep(self, now: float) -> None:
        for key in [key for key, end in self._ends.items() if end <= now]:
            del self._hits[key], self._ends[key]
        self._sweep_at = max(_SWEEP_AT_KEYS, 2 * len(self._hits))


@lru_cache(maxsize=1024)
def client_key(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or a /64 network of IPv6 (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _RedisWindows:
    def __init__(self, storage: RedisStorage) -> None:
        self._storage = storage
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, key: str, rate: Rate) -> float:
        item = RateLimitItemPerSecond(rate.count, rate.seconds)
        if await self._limiter.hit(item, key):
            return 0.0
        reset = (await self._limiter.get_window_stats(item, key)).reset_time
        return max(0.001, reset - time.time())

    async def close(self) -> None:
        if isinstance(self._storage.bridge, RedispyBridge):
            await cast("_Closable", self._storage.bridge.get_connection()).aclose()


def _redis_windows(url: str) -> _RedisWindows:
    # `limits` takes a socket's URL in its own spelling.
    if url.startswith("unix://"):
        url = f"redis+{url}"
    storage = RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="notion-rate",
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
    )
    return _RedisWindows(storage)
