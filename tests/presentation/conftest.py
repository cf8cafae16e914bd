"""One served application for the tests of the HTTP edge."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.application import create
from tests.server.logs import log, log_through_logging
from tests.server.serving import Running, serving

__all__ = ["log", "log_through_logging"]


@pytest.fixture(scope="module")
def upload_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def running(upload_folder: Path) -> Iterator[Running]:
    with serving(lambda: create(folder=upload_folder)) as server:
        yield server


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as http:
        yield http
