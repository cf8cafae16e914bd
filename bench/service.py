"""Servers to be measured: the service, and others beside it, each with a folder of its own."""

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
from typing import IO
from urllib.request import urlopen

from tests.servers.smtp_sink import SmtpSink

_BOUNDARY = b"bench-boundary"
ROOT = Path(__file__).parent.parent
SETTINGS = {
    "INTAKE_RATE_LIMIT": "off",
    "PROSPECT_MAIL_LIMIT": "off",
    "STAFF_EMAILS": "desk@firm.example",
    "LOG_LEVEL": "error",
}


NO_REDIS = "redis://127.0.0.1:1/0"
"""With it mails wait in the database, for a worker that never comes."""


def mailing_to(sink: SmtpSink) -> dict[str, str]:
    """Return the settings that send mail there."""
    return {"SMTP_HOST": sink.host, "SMTP_PORT": str(sink.port), "SMTP_SECURITY": "none"}


@contextmanager
def service(
    module: str = "notion_backend", errors: IO[bytes] | None = None, **settings: str
) -> Iterator[int]:
    """Run `serve` with these settings beside `SETTINGS`; give its port.

    Its log goes to `errors`, or where that of the benchmark goes.
    """
    command = [sys.executable, "-m", module, "serve", "--port"]
    with started(command, SETTINGS | settings, "/healthz", errors) as port:
        yield port


@contextmanager
def worker(errors: IO[bytes] | None = None, **settings: str) -> Iterator[None]:
    """Run `worker` with these settings beside `SETTINGS`; its log goes where `service`'s does."""
    command = [sys.executable, "-m", "notion_backend", "worker"]
    with _process(command, SETTINGS | settings, errors):
        yield


@contextmanager
def started(
    command: list[str],
    settings: dict[str, str],
    health: str | None,
    errors: IO[bytes] | None = None,
) -> Iterator[int]:
    """Run a command with a free port as its last argument; give that port once it answers."""
    port = _free_port()
    with _process([*command, str(port)], settings, errors):
        _wait_for(port, health)
        yield port


@contextmanager
def _process(
    command: list[str], settings: dict[str, str], errors: IO[bytes] | None
) -> Iterator[None]:
    """Run a command in a folder of its own, where its DATA_DIR is too unless `settings` say so."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
            "DATA_DIR": f"{folder}/data",
            **settings,
        }
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            yield
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


def form(resume_bytes: int) -> bytes:
    """Return the body of a form with a PDF of this size."""
    fields = {"first_name": "Zoë", "last_name": "Ångström", "email": "zoe@example.com"}
    parts = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (_BOUNDARY, name.encode(), value.encode())
        for name, value in fields.items()
    )
    resume = b"%PDF-1.7\n" + os.urandom(resume_bytes)
    return parts + (
        b'--%s\r\nContent-Disposition: form-data; name="resume"; filename="resume.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%s\r\n--%s--\r\n" % (_BOUNDARY, resume, _BOUNDARY)
    )


def request(port: int, path: str, body: bytes) -> bytes:
    """Return a whole POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}\r\n\r\n"
    )
    return head.encode() + body
