"""A load of requests over kept connections, as fast as the answers come."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    failures: int


async def post_all(
    port: int, request: bytes, *, connections: int, requests: int, expected: int = 201
) -> Load:
    """Send `requests` copies of `request` over so many connections at once.

    What is answered with another status than `expected` is a failure.
    """
    seconds: list[float] = []
    failures = 0
    left = iter(range(requests))

    async def client() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for _ in left:
            began = time.perf_counter()
            writer.write(request)
            status = await _read_answer(reader)
            seconds.append(time.perf_counter() - began)
            failures += status != expected
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    elapsed = time.perf_counter() - began
    cuts = quantiles([*seconds, seconds[-1]], n=100)  # of a single one, too
    return Load(
        rate=requests / elapsed,
        p50=median(seconds) * 1000,
        p95=cuts[94] * 1000,
        p99=cuts[98] * 1000,
        failures=failures,
    )


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
    return int(head[9:12])
