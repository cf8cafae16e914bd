"""What is stored, and how the rest is refused, when five times more arrives than can be taken."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from statistics import median, quantiles

import psutil

from bench.load import post_all
from bench.service import form, request, service

TIMES = 5
SECONDS = 10.0
RUNS = 3
RESUME_BYTES = 20_000
_PEAK_CONNECTIONS, _PEAK_REQUESTS = 16, 2000
_GRACE_SECONDS = 20.0


@dataclass(slots=True)
class Answers:
    """What came back while the load lasted; seconds from the request to its answer."""

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
        self._sent_at = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to send."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, sent: bytes) -> bool:
        """Send a request; False where the connection is gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._got, self._sent_at = b"", time.perf_counter()
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
        seconds, self._sent_at = now - self._sent_at, 0.0
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
        self._answers.cut += bool(self._sent_at)
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

    async def send_on_a_new_connection() -> None:
        _, client = await loop.create_connection(
            lambda: Client(answers, free, began + seconds), "127.0.0.1", port
        )
        clients.append(client)
        client.send(sent)

    def send() -> None:
        while free:
            if free.popleft().send(sent):
                return
        task = asyncio.create_task(send_on_a_new_connection())
        opening.add(task)
        task.add_done_callback(opening.discard)

    number = 0
    while (now := time.perf_counter() - began) < seconds:
        while number < now * rate:
            number += 1
            send()
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
    """Measure the peak and then the flood, several times, and print medians."""
    with service() as port:
        sent = request(port, "/api/v1/leads", form(RESUME_BYTES))
        process = psutil.Process().children()[-1]
        goodputs, peaks = [], []
        asyncio.run(_peak(port, sent))
        memory = process.memory_info().rss
        for _ in range(RUNS):
            peaks.append(asyncio.run(_peak(port, sent)))
            found = asyncio.run(flood(port, sent, TIMES * peaks[-1], SECONDS))
            goodputs.append(found.stored_in_time / SECONDS)
            print(
                f"  {TIMES * peaks[-1]:.0f} a second: {len(found.stored)} stored"
                f" (p95 {_p95(found.stored):.0f} ms), {len(found.refused)} refused"
                f" (p95 {_p95(found.refused):.0f} ms), {found.without_retry_after} of them without"
                f" Retry-After, {len(found.other)} other answers {found.other[:1]},"
                f" cut {found.cut}, unanswered {found.unanswered}"
            )
        grown = (process.memory_info().rss - memory) / 2**20
    print(f"overload: SQLite, {RESUME_BYTES // 1000} kB, {TIMES} times the peak, {RUNS} runs")
    print(f"  peak               {median(peaks):7.0f}/s")
    print(f"  stored             {median(goodputs):7.0f}/s  in the flood, {grown:+.0f} MB")
    ratios = sorted(own / peak for own, peak in zip(goodputs, peaks, strict=True))
    print(f"  ratio              {median(ratios):7.2f}   ({ratios[0]:.2f} to {ratios[-1]:.2f})")


async def _peak(port: int, sent: bytes) -> float:
    load = await post_all(port, sent, connections=_PEAK_CONNECTIONS, requests=_PEAK_REQUESTS)
    return load.rate


def _p95(seconds: list[float]) -> float:
    return quantiles([*seconds, *seconds[-1:]], n=20)[18] * 1000 if seconds else 0.0
