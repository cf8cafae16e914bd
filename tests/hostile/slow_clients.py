"""Clients that say nothing, or next to nothing, while they hold a connection."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.hostile.forms import CONTENT_TYPE, PDF, chunked, file_part, form, person
from tests.hostile.raw_http import request

CROWD = 300
"""So many silent ones, and as many that send a byte of their headers a second."""

PHONE_BYTES_A_SECOND = 5 * 1024
PHONE_SECONDS = 33
"""Longer than the time after which slowness counts."""

_ENDLESS = [b"x"] * 1000


class SlowClients:
    """All of them at once, in a thread; what became of each kind is in `ends`, in `answers`."""

    def __init__(self, port: int) -> None:
        self.ends: dict[str, list[float]] = defaultdict(list)
        """Seconds until the service closed the connection."""
        self.answers: dict[str, list[bytes]] = defaultdict(list)
        self.waits: list[float] = []
        """Seconds that an ordinary client waited meanwhile, asked once a second."""
        self._port = port
        self._thread = threading.Thread(target=self._run, name="slow-clients")
        self._begun = threading.Event()
        self._ended = threading.Event()

    def wait(self) -> None:
        """Wait for the end of the slowest."""
        assert self._ended.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *error: object) -> None:
        if not self._ended.is_set():
            self._loop.call_soon_threadsafe(self._all.cancel)
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._dawdle())
        self._ended.set()

    async def _dawdle(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._all = asyncio.ensure_future(self._all_kinds())
        self._begun.set()
        await self._all

    async def _all_kinds(self) -> None:
        head = request("POST", "/api/v1/leads", CONTENT_TYPE, "Content-Length: 100000")
        start = person() + file_part("resume.pdf", PDF)
        body = form(
            person(), file_part("resume.pdf", PDF + bytes(PHONE_SECONDS * PHONE_BYTES_A_SECOND))
        )
        phone = request("POST", "/api/v1/leads", CONTENT_TYPE, body=body)
        pieces = [
            phone[place : place + PHONE_BYTES_A_SECOND]
            for place in range(0, len(phone), PHONE_BYTES_A_SECOND)
        ]
        kept = request("GET", "/healthz").replace(b"Connection: close\r\n", b"")
        kinds: dict[str, tuple[int, list[bytes]]] = {
            "silent": (CROWD, []),
            "byte of a header": (CROWD, [bytes([byte]) for byte in request("GET", "/x") * 20]),
            "byte of a body": (3, [head + start, *_ENDLESS]),
            "byte of a chunked body": (
                3,
                [_chunked_head() + chunked(start)[:-5], *[b"1\r\nx\r\n"] * 1000],
            ),
            "idle after an answer": (3, [kept]),
            "phone": (1, pieces),
        }
        async with asyncio.TaskGroup() as group:
            slow = [
                group.create_task(self._client(kind, sent))
                for kind, (count, sent) in kinds.items()
                for _ in range(count)
            ]
            asking = group.create_task(self._ask())
            await asyncio.wait(slow)
            asking.cancel()

    async def _client(self, kind: str, sent: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        started = time.monotonic()
        sending = asyncio.ensure_future(_send(writer.write, sent))
        answer = b""
        try:
            with suppress(ConnectionError):
                answer = await reader.read()
            self.ends[kind].append(time.monotonic() - started)
            self.answers[kind].append(answer)
        finally:
            sending.cancel()
            writer.close()

    async def _ask(self) -> None:
        while True:
            started = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(request("GET", "/healthz"))
                answer = await reader.read()
            finally:
                writer.close()
            assert answer.startswith(b"HTTP/1.1 200")
            self.waits.append(time.monotonic() - started)
            await asyncio.sleep(1)


async def _send(write: Callable[[bytes], None], pieces: list[bytes]) -> None:
    for piece in pieces:
        write(piece)
        await asyncio.sleep(1)


def _chunked_head() -> bytes:
    return request("POST", "/api/v1/leads", CONTENT_TYPE, "Transfer-Encoding: chunked")
