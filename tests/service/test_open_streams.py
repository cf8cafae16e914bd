"""Streams that pages listen to, and the end of the service."""

import socket
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.servers.service import Service
from tests.service.client import ADMIN_PASSWORD, SETTINGS
from tests.waiting import wait_until


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_open_stream_does_not_delay_the_end(
    start_service: Callable[..., Service], workers: str
) -> None:
    service = start_service("--workers", workers, **SETTINGS)
    cookie = _sign_in(service)
    listeners = [_listen(service, cookie) for _ in range(4)]
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 2
    for listener in listeners:
        received = b""
        while piece := listener.recv(65536):
            received += piece
        # Ended, not broken off: the last chunk of the answer came.
        assert received.endswith(b"0\r\n\r\n")
        listener.close()
    assert "Traceback" not in service.log


def test_a_worker_in_the_place_of_a_dead_one_ends_its_streams_too(
    start_service: Callable[..., Service],
) -> None:
    service = start_service("--workers", "2", **SETTINGS)
    wait_until(lambda: service.log.count("listening") == 2, 30)
    for worker in _workers_of(service):
        worker.kill()
    # Two more, in their places.
    wait_until(lambda: service.log.count("listening") == 4, 30)
    listeners = [_listen(service, _sign_in(service)) for _ in range(4)]
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 2
    for listener in listeners:
        listener.close()


def _workers_of(service: Service) -> list[psutil.Process]:
    """Return them without the process that watches over their resources."""
    children = psutil.Process(service.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def _sign_in(service: Service) -> str:
    with httpx.Client(base_url=service.base_url, trust_env=False) as client:
        client.post(
            "/console/sign-in",
            data={"username": "admin", "password": ADMIN_PASSWORD},
            headers={"Origin": service.base_url},
        )
        return client.cookies["session"]


def _listen(service: Service, cookie: str) -> socket.socket:
    listener = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    head = f"GET /console/live HTTP/1.1\r\nHost: localhost\r\nCookie: session={cookie}\r\n\r\n"
    listener.sendall(head.encode())
    assert listener.recv(65536).startswith(b"HTTP/1.1 200")
    return listener
