"""The doorbell over Redis, for several processes. Works with Redis 7 and newer, and Valkey."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from uuid import UUID

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from notion_backend.core.errors import ConfigurationError

_LOG = structlog.get_logger(__name__)

_MOST_IDS = 10_000
_BATCH = 1_000
_ID_BYTES = 16
_ANSWER_SECONDS = 1.0
_TAKE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_PROBE_SECONDS = 2.0
# redis-py lets errors of the socket, of a URL's host name and of a malformed reply through.
_FAILURES = (RedisError, OSError, ValueError)


class RedisQueue:
    """A `DeliveryQueue` that keeps the ids in a Redis list.

    `ring` only hands ids to a thread, so neither a Redis that is silent nor a name that does not
    resolve is ever waited for. The thread sends them in batches, keeps the newest through an outage
    and tells by a write every two seconds whether Redis works.

    Raises:
        ConfigurationError: `url` is not a Redis URL.
    """

    def __init__(self, url: str, prefix: str = "") -> None:
        self._key = f"{prefix}notion:deliveries"
        self._pusher = _client(url, _ANSWER_SECONDS)
        self._taker = _client(url, _TAKE_SECONDS + _ANSWER_SECONDS)
        self._push_outage = _Outage("push")
        self._take_outage = _Outage("take")
        self._pending: deque[UUID] = deque(maxlen=_MOST_IDS)
        self._changed = threading.Condition()
        self._taking = threading.Lock()
        self._woken = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(
            target=self._push_until_closed, name="doorbell", daemon=True
        )
        self._thread.start()

    def ring(self, ids: Sequence[UUID]) -> None:
        """Announce deliveries; see `DeliveryQueue`."""
        with self._changed:
            self._pending.extend(ids)
            self._changed.notify()

    def take(self, limit: int, timeout: float) -> list[UUID]:
        """Return up to `limit` ids; see `DeliveryQueue`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                ids = self._pop(limit, deadline - time.monotonic())
            except _FAILURES as error:
                self._take_outage.begin(error)
                self._woken.wait(max(0.0, deadline - time.monotonic()))
                ids = []
            else:
                self._take_outage.end()
            if ids or self._woken.is_set() or time.monotonic() >= deadline:
                self._woken.clear()
                return ids

    def wake(self) -> None:
        """Make the `take` that waits now, or else the next one, return within half a second."""
        self._woken.set()

    def is_healthy(self) -> bool:
        """Tell whether Redis answered the last time it was asked, at most seconds ago."""
        return not (self._push_outage.is_on or self._take_outage.is_on)

    def close(self) -> None:
        """Send what is pending, if Redis takes it within a second; a waiting `take` returns."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self.wake()
        self._thread.join(_ANSWER_SECONDS)
        with self._taking:
            self._taker.close()

    def _pop(self, limit: int, remaining: float) -> list[UUID]:
        # To Redis, zero is for ever; short waits let `wake` be heard.
        wait = max(0.01, min(remaining, _TAKE_SECONDS))
        with self._taking:
            if self._is_closed:
                return []
            popped = self._taker.blmpop(wait, 1, self._key, direction="LEFT", count=limit)
        values = popped[1] if popped else []
        return [
            UUID(bytes=value)
            for value in values
            if isinstance(value, bytes) and len(value) == _ID_BYTES
        ]

    def _push_until_closed(self) -> None:
        batch: list[bytes] = []
        pause = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, pause)
                if not batch:
                    size = min(_BATCH, len(self._pending))
                    batch = [self._pending.popleft().bytes for _ in range(size)]
                is_last = self._is_closed and not self._pending
            try:
                self._push(batch)
            except _FAILURES as error:
                self._push_outage.begin(error)
                pause = _RETRY_SECONDS
                is_last = self._is_closed
            else:
                self._push_outage.end()
                pause = _PROBE_SECONDS
                batch = []
            if is_last:
                self._pusher.close()
                return

    def _has_work(self) -> bool:
        return self._is_closed or (bool(self._pending) and not self._push_outage.is_on)

    def _push(self, batch: list[bytes]) -> None:
        length = self._pusher.rpush(self._key, *batch) if batch else _MOST_IDS + 1
        if length > _MOST_IDS:
            self._pusher.ltrim(self._key, -_MOST_IDS, -1)


class _Outage:
    """Tells of the first failure and of the recovery, not of each failure between."""

    def __init__(self, action: str) -> None:
        self.is_on = False
        self._action = action

    def begin(self, error: Exception) -> None:
        if not self.is_on:
            self.is_on = True
            reason = str(error)[:200]
            _LOG.warning("queue.unreachable", action=self._action, reason=reason)

    def end(self) -> None:
        if self.is_on:
            self.is_on = False
            _LOG.info("queue.recovered", action=self._action)


def _client(url: str, seconds: float) -> Redis:
    try:
        return Redis.from_url(
            url,
            protocol=2,
            driver_info=None,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=seconds,
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            "REDIS_URL: is not a Redis URL; write redis://host:6379/0, rediss:// for TLS"
        ) from error
