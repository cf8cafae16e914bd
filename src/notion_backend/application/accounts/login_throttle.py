"""At most 100 failed sign-ins per account in 15 minutes, wherever they come from (ASVS V6.3.1).

Only failures count, and only those that were told to be failures, so the owner of an account that
somebody else attacks waits 15 minutes at most.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from notion_backend.core.errors import RateLimited
from notion_backend.core.rates import Rate
from notion_backend.core.sentences import say

ACCOUNT_FAILURES = Rate(100, 15 * 60)
_REDIS_PATIENCE_SECONDS = 0.1
_REDIS_PAUSE_SECONDS = 5.0
_SWEEP_AT_ACCOUNTS = 10_000

_log = structlog.get_logger(__name__)


class LoginThrottle:
    """Counts the failures of each account: in this process, and in Redis if there is one.

    Args:
        redis_url: empty for none. While Redis is away, what this process has counted holds.
        rate: None turns the limit off.
    """

    def __init__(self, redis_url: str = "", rate: Rate | None = ACCOUNT_FAILURES) -> None:
        self._rate = rate
        self._memory = _FailuresInMemory()
        self._shared = _SharedFailures(redis_url) if redis_url and rate else None

    def check(self, account: str) -> None:
        """Refuse an account that has used up its failures.

        Raises:
            RateLimited: `retry_after` says in how many seconds the next try is free.
        """
        if self._rate is not None:
            wait = self._memory.wait(account, self._rate)
            if not wait and self._shared:
                wait = self._shared.wait(account, self._rate)
            _refuse(wait)

    def count_failure(self, account: str) -> None:
        """Count a failure that `check` let through.

        Raises:
            RateLimited: others that were checked at the same time have used up the rest, so this
                one must not be told how it went.
        """
        if self._rate is not None:
            wait = self._memory.add(account, self._rate)
            if not wait and self._shared:
                wait = self._shared.add(account, self._rate)
            _refuse(wait)


def _refuse(wait: float) -> None:
    if wait > 0:
        seconds = max(1, math.ceil(wait))
        raise RateLimited(
            say(
                "There were too many failed tries; try again in {seconds} seconds.", seconds=seconds
            ),
            retry_after=seconds,
        )


class _FailuresInMemory:
    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._sweep_at = _SWEEP_AT_ACCOUNTS

    def wait(self, account: str, rate: Rate) -> float:
        with self._lock:
            return self._wait(account, rate, time.monotonic())

    def add(self, account: str, rate: Rate) -> float:
        now = time.monotonic()
        with self._lock:
            if wait := self._wait(account, rate, now):
                return wait
            self._failures.setdefault(account, deque()).append(now)
            if len(self._failures) > self._sweep_at:
                self._sweep(now - rate.seconds)
            return 0.0

    def _wait(self, account: str, rate: Rate, now: float) -> float:
        failures = self._failures.get(account, deque())
        while failures and failures[0] <= now - rate.seconds:
            failures.popleft()
        return failures[0] + rate.seconds - now if len(failures) >= rate.count else 0.0

    def _sweep(self, moment: float) -> None:
        for account in [
            one
            for one, failures in self._failures.items()
            if not failures or failures[-1] <= moment
        ]:
            del self._failures[account]
        self._sweep_at = max(_SWEEP_AT_ACCOUNTS, 2 * len(self._failures))


class _SharedFailures:
    """The same in Redis. Every failure is counted in memory too, which needs no answer in time."""

    def __init__(self, url: str) -> None:
        self._limiter = MovingWindowRateLimiter(
            RedisStorage(
                url,
                key_prefix="notion-login",
                wrap_exceptions=True,
                socket_timeout=_REDIS_PATIENCE_SECONDS,
                socket_connect_timeout=_REDIS_PATIENCE_SECONDS,
            )
        )
        self._paused_until = 0.0

    def wait(self, account: str, rate: Rate) -> float:
        return self._ask(self._limiter.test, account, rate)

    def add(self, account: str, rate: Rate) -> float:
        return self._ask(self._limiter.hit, account, rate)

    def _ask(self, is_free: Callable[..., bool], account: str, rate: Rate) -> float:
        if time.monotonic() < self._paused_until:
            return 0.0
        item = RateLimitItemPerSecond(rate.count, rate.seconds)
        try:
            if is_free(item, account):
                return 0.0
            reset = self._limiter.get_window_stats(item, account).reset_time
        except (StorageError, OSError) as error:
            self._paused_until = time.monotonic() + _REDIS_PAUSE_SECONDS
            _log.warning("login_throttle_without_redis", error=type(error).__name__)
            return 0.0
        return max(0.001, reset - time.time())
