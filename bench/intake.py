"""Durable intake on SQLite against the limit of the machine: same body, syncs and clients."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from bench.load import Load, post_all

CONNECTIONS = 16
REQUESTS = 3000
RUNS = 5
RESUME_BYTES = 20_000
_BOUNDARY = b"bench-boundary"


def run() -> None:
    """Measure both in turn, several times, and print medians and their ratio."""
    ours: list[Load] = []
    limit: list[Load] = []
    with _service() as service, _bare() as bare:
        body = _form()
        for number in range(RUNS + 1):
            pair = [
                asyncio.run(post_all(port, request, connections=CONNECTIONS, requests=REQUESTS))
                for port, request in (
                    (bare, _request(bare, "/", body)),
                    (service, _request(service, "/api/v1/leads", body)),
                )
            ]
            if number:  # the first pair warms up
                limit.append(pair[0])
                ours.append(pair[1])
    print(f"intake: SQLite, {RESUME_BYTES // 1000} kB, {CONNECTIONS} connections, {RUNS} runs")
    for name, loads in (("limit (bare ASGI)", limit), ("intake", ours)):
        rates = sorted(load.rate for load in loads)
        print(
            f"  {name:18} {median(rates):7.0f}/s  ({rates[0]:.0f} to {rates[-1]:.0f})"
            f"  p50 {median(load.p50 for load in loads):6.1f} ms"
            f"  p99 {median(load.p99 for load in loads):6.1f} ms"
            f"  failures {sum(load.failures for load in loads)}"
        )
    ratios = [mine.rate / bound.rate for mine, bound in zip(ours, limit, strict=True)]
    print(f"  ratio              {median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


@contextmanager
def _service() -> Iterator[int]:
    settings = {
        "INTAKE_RATE_LIMIT": "off",
        "PROSPECT_MAIL_LIMIT": "off",
        "STAFF_EMAILS": "desk@firm.example",
        "LOG_LEVEL": "warning",
        # Mails wait in the database: this is about intake alone.
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-m", "notion_backend", "serve", "--port"]
    with _started(command, settings, "/healthz") as port:
        yield port


@contextmanager
def _bare() -> Iterator[int]:
    command = [sys.executable, "-m", "uvicorn", "bench.bare_intake:app", "--log-level", "warning"]
    with _started([*command, "--port"], {"BENCH_DATABASE": "limit.db"}, None) as port:
        yield port


@contextmanager
def _started(command: list[str], settings: dict[str, str], health: str | None) -> Iterator[int]:
    port = _free_port()
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}",
            "DATA_DIR": f"{folder}/data",
            **settings,
        }
        process = subprocess.Popen(
            [*command, str(port)], cwd=folder, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(port, health)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, health: str | None) -> None:
    for _ in range(150):
        try:
            if health is None:
                asyncio.run(_connect(port))
            else:
                urlopen(f"http://127.0.0.1:{port}{health}", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("A server did not start; nothing was measured.")


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _form() -> bytes:
    fields = {"first_name": "Zoë", "last_name": "Ångström", "email": "zoe@example.com"}
    parts = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (_BOUNDARY, name.encode(), value.encode())
        for name, value in fields.items()
    )
    resume = b"%PDF-1.7\n" + os.urandom(RESUME_BYTES)
    return parts + (
        b'--%s\r\nContent-Disposition: form-data; name="resume"; filename="resume.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%s\r\n--%s--\r\n" % (_BOUNDARY, resume, _BOUNDARY)
    )


def _request(port: int, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}\r\n\r\n"
    )
    return head.encode() + body
