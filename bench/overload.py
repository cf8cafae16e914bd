"""What is stored, and how the rest is refused, when more arrives than can be taken."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from statistics import quantiles

import psutil

from bench.load import post_all
from bench.service import form, request, service

TIMES = (2, 3, 5)
SECONDS = 10.0
RUNS = 2
RESUME_BYTES = 20_000
_PEAK_CONNECTIONS, _PEAK_REQUESTS = (16, 64, 128), 1500
_GRACE_SECONDS = 20.0


@dataclass(slots=True)
class Answers:
    """What came back while the load lasted; seconds from when a request was due to its answer."""

    stored: list[float] = field(default_factory=list)
    stored_in_time: int = 0
    """Answered before the last request was sent."""
    refused: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    other: list[int] = field(default_factory=list)
    cut: int = 0
    """Connections that ended without an answer."""
    unanswered: int = 0

    @property
    def total(self) -> int:
        """How many requests have come to an end."""
        return len(self.stored) + len(self.refused) + len(self.other) + self.cut


class Client(asyncio.Protocol):
    """A kept connection that has one request under way or none."""

    def __init__(self, answers: Answers, free: deque["Client"], end: float) -> None:
        self._answers, self._free, self._end = answers, free, end
        self._transport: asyncio.Transport | None = None
        self._due = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to send."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, sent: bytes, due: float) -> bool:
        """Send the request that was due then; False where the connection is gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._got, self._due = b"", due
        self._transport.write(sent)
        return True

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        headers = head.lower()
        start = headers.index(b"content-length:") + 15
        if len(body) < int(headers[start:].split(b"\r\n", 1)[0]):
            return
        self._note(int(head[9:12]), headers)
        if b"connection: close" not in headers:
            self._free.append(self)

    def _note(self, status: int, headers: bytes) -> None:
        now = time.perf_counter()
        seconds, self._due = now - self._due, 0.0
        if status == 201:
            self._answers.stored.append(seconds)
            self._answers.stored_in_time += now <= self._end
        elif status == 503:
            self._answers.refused.append(seconds)
            self._answers.without_retry_after += b"\r\nretry-after:" not in headers
        else:
            self._answers.other.append(status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Note a request that was not answered."""
        self._answers.cut += bool(self._due)
        self._transport = None

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()


async def flood(port: int, sent: bytes, rate: float, seconds: float) -> Answers:
    """Send `rate` requests a second, whether or not earlier ones are answered."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    answers, free, clients = Answers(), deque[Client](), list[Client]()
    opening: set[asyncio.Task[None]] = set()

    async def send_on_a_new_connection(due: float) -> None:
        _, client = await loop.create_connection(
            lambda: Client(answers, free, began + seconds), "127.0.0.1", port
        )
        clients.append(client)
        client.send(sent, due)

    def send(due: float) -> None:
        while free:
            if free.popleft().send(sent, due):
                return
        task = asyncio.create_task(send_on_a_new_connection(due))
        opening.add(task)
        task.add_done_callback(opening.discard)

    number = 0
    while (now := time.perf_counter() - began) < seconds:
        while number < now * rate:
            send(began + number / rate)
            number += 1
        await asyncio.sleep(0.001)
    await _wait_for_all(answers, number)
    for client in clients:
        client.close()
    return answers


async def _wait_for_all(answers: Answers, number: int) -> None:
    end = time.perf_counter() + _GRACE_SECONDS
    while time.perf_counter() < end:
        if answers.total >= number:
            return
        await asyncio.sleep(0.05)
    answers.unanswered = number - answers.total


def run() -> None:
    """Measure the peak and then each flood, several times, and print what came of it."""
    print(f"overload: SQLite, {RESUME_BYTES // 1000} kB, {SECONDS:.0f} s each")
    with service() as port:
        sent = request(port, "/api/v1/leads", form(RESUME_BYTES))
        process = psutil.Process().children()[-1]
        peak = _peak(port, sent)
        for times in (times for times in TIMES for _ in range(RUNS)):
            memory = process.memory_info().rss
            found = asyncio.run(flood(port, sent, times * peak, SECONDS))
            grown = (process.memory_info().rss - memory) / 2**20
            print(
                f"  {times} times the peak of {peak:.0f}/s: stored"
                f" {found.stored_in_time / SECONDS / peak:.2f} of it"
                f" (p95 {_p95(found.stored):.0f} ms), {len(found.refused)} refused"
                f" (p95 {_p95(found.refused):.0f} ms), {found.without_retry_after} of them without"
                f" Retry-After, {len(found.other)} other answers {found.other[:1]},"
                f" {found.cut} cut, {found.unanswered} unanswered, {grown:+.0f} MB"
            )


def _peak(port: int, sent: bytes) -> float:
    """Return the best rate that clients who wait for their answers get."""
    return max(
        asyncio.run(post_all(port, sent, connections=connections, requests=_PEAK_REQUESTS)).rate
        for connections in _PEAK_CONNECTIONS
    )


def _p95(seconds: list[float]) -> float:
    return quantiles([*seconds, *seconds[-1:]], n=20)[18] * 1000 if seconds else 0.0
