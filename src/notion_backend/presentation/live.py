"""Tells pages that are open when something has happened (Server-Sent Events, HTML §9.2).

A stream carries no data: a page that hears of a change asks for what it shows, with its own rights.
One task in each process asks the database once a second, as long as somebody listens; so it works
with any database and any number of processes.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import structlog
from anyio import to_thread

from notion_backend.application.changes import Changes
from notion_backend.core.errors import BusinessError, NotAuthenticated, RateLimited, Unavailable

MEDIA_TYPE = "text/event-stream"
MOST_OF_A_SESSION = 20
MOST_OF_ALL = 1000
ASK_SECONDS = 1.0
AGAIN_SECONDS = 3.0
"""An event may be committed after one with a higher id, which moved the mark: so once more."""
SILENCE_SECONDS = 15.0
"""Proxies close what is silent for longer; as often it is seen whether the session still lasts."""

_HELLO = "retry: 2000\nevent: mark\ndata: {mark}\n\n"
"""A page that was drawn at another mark has missed something between that and its stream."""
_CHANGED = b"event: changed\ndata: 1\n\n"
_STILL_HERE = b": still here\n\n"

_log = structlog.get_logger(__name__)

Check = Callable[[], object]
"""Raises NotAuthenticated once a listener may not listen any more."""


class LiveStreams:
    """The streams of one process."""

    def __init__(self, changes: Changes, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._changes = changes
        self._silence_seconds = silence_seconds
        self._listeners: set[asyncio.Event] = set()
        self._by_session: Counter[str] = Counter()
        self._watcher: asyncio.Task[None] | None = None
        self._has_looked = asyncio.Event()
        self._is_closed = False

    def open(self, session: str, check: Check) -> AsyncIterator[bytes]:
        """Return the stream of a listener; it ends when `check` fails, and at `close`.

        Raises:
            RateLimited: this session has as many as it may have.
            Unavailable: the process has, or is about to stop.
        """
        if self._by_session[session] >= MOST_OF_A_SESSION:
            raise RateLimited("Close other windows of the console first.", retry_after=60)
        if self._is_closed or len(self._listeners) >= MOST_OF_ALL:
            raise Unavailable("Too many windows are open; load the page again later.")
        return self._stream(session, check)

    def close(self) -> None:
        """End every stream; the server waits for answers that have not ended."""
        self._is_closed = True
        self._tell()

    async def _stream(self, session: str, check: Check) -> AsyncIterator[bytes]:
        changed = asyncio.Event()
        self._listeners.add(changed)
        self._by_session[session] += 1
        if self._watcher is None:
            self._has_looked = asyncio.Event()
            self._watcher = asyncio.create_task(self._watch(self._has_looked))
        try:
            # Not before the watcher knows a mark, or what comes between would be told by neither.
            await self._has_looked.wait()
            yield _HELLO.format(mark=await self._mark() or "").encode()
            now = asyncio.get_running_loop().time
            checked_at = now()
            while not self._is_closed:
                piece = _STILL_HERE
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), self._silence_seconds)
                    changed.clear()
                    piece = _CHANGED
                if now() - checked_at >= self._silence_seconds:
                    if not await _passes(check):
                        return
                    checked_at = now()
                yield piece
        finally:
            self._leave(session, changed)

    def _leave(self, session: str, changed: asyncio.Event) -> None:
        self._listeners.discard(changed)
        self._by_session[session] -= 1
        self._by_session += Counter()  # forgets who has none
        if not self._listeners and self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def _watch(self, has_looked: asyncio.Event) -> None:
        known = await self._mark()
        has_looked.set()
        again_at: float | None = None
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(ASK_SECONDS)
            found = await self._mark()
            if found is not None and found != known:
                known, again_at = found, now() + AGAIN_SECONDS
                self._tell()
            elif again_at is not None and now() >= again_at:
                again_at = None
                self._tell()

    async def _mark(self) -> str | None:
        """Return the mark; None while the database does not answer, which others tell of."""
        try:
            return await to_thread.run_sync(self._changes.mark)
        except BusinessError:
            return None
        except Exception as error:
            # A table that is missing while a backup is put back, say: nobody would look again.
            _log.error("live_streams_failed", error=type(error).__name__)
            return None

    def _tell(self) -> None:
        for changed in self._listeners:
            changed.set()


async def _passes(check: Check) -> bool:
    try:
        await to_thread.run_sync(check)
    except NotAuthenticated:
        return False
    except BusinessError:
        return True  # a database that does not answer signs nobody out
    return True
