"""One served application for the tests of the HTTP edge."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.factories import a_lead
from tests.presentation.pages_app import PagesApp, pages_app
from tests.server.application import create
from tests.server.logs import log, log_through_logging
from tests.server.serving import Running, serving
from tests.servers.databases import Databases

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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[PagesApp]:
    folder = tmp_path_factory.mktemp("pages")
    with databases.of("sqlite").migrated() as url, pages_app(folder, url) as app:
        yield app


@pytest.fixture
def app(served: PagesApp) -> PagesApp:
    served.empty()
    return served


@pytest.fixture
def lead_id(app: PagesApp) -> int:
    with app.database.writing() as work:
        lead = a_lead(work)
        work.commit()
    return lead.id
