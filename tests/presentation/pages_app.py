"""The whole application behind real sockets, for the tests of its pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import delete

from notion_backend.app import build_app
from notion_backend.application.assembly import lay_foundations
from notion_backend.core.clock import utcnow
from notion_backend.core.config import Settings
from notion_backend.core.enums import Role
from notion_backend.data.base import Base
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Lead, User
from notion_backend.data.unit_of_work import Database
from notion_backend.presentation.live import LiveStreams
from tests.accounts import QUICK_HASHES, quick_hasher
from tests.server.serving import serving

PASSWORD = "nine brown bears dance"
HTML = "text/html; charset=utf-8"


@dataclass
class PagesApp:
    """Where the application answers, and its database."""

    base_url: str
    database: Database
    streams: LiveStreams

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Keep cookies, follow nothing, name the origin as browsers do."""
        headers = {"Accept": "text/html", "Origin": self.base_url}
        with httpx.Client(base_url=self.base_url, headers=headers, trust_env=False) as client:
            yield client

    @contextmanager
    def signed_in(
        self, username: str = "admin", password: str = PASSWORD
    ) -> Iterator[httpx.Client]:
        with self.browser() as client:
            answer = sign_in(client, username, password)
            assert answer.status_code == 303, answer.text
            yield client

    def empty(self) -> None:
        """Forget everything but a fresh administrator."""
        with self.database.writing() as work:
            for table in reversed(Base.metadata.sorted_tables):
                work._session.execute(delete(table))
            work.commit()
        _store_user(self.database, "admin", Role.ADMIN)

    def leads(self) -> list[Lead]:
        with self.database.reading() as work:
            return list(work._session.query(Lead).order_by(Lead.id))


@contextmanager
def pages_app(folder: Path, database_url: str, **settings: Any) -> Iterator[PagesApp]:
    """Serve the application with these settings; its only user is the administrator `admin`."""
    defaults = {
        "intake_rate_limit": "off",
        "login_rate_limit": "off",
        "prospect_mail_limit": "off",
        **QUICK_HASHES,
    }
    chosen = Settings(data_dir=folder, database_url=database_url, **(defaults | settings))
    database = Database(create_database_engine(database_url))
    built = build_app(lay_foundations(chosen))
    app = PagesApp("", database, built.state.live_streams)
    app.empty()
    try:
        with serving(lambda: built) as running:
            app.base_url = f"http://127.0.0.1:{running.port}"
            yield app
    finally:
        database.close()


def sign_in(
    client: httpx.Client, username: str = "admin", password: str = PASSWORD, **fields: str
) -> httpx.Response:
    return client.post(
        "/console/sign-in", data={"username": username, "password": password, **fields}
    )


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', page.text)
    assert found, page.text
    return unescape(found[1])


def add_user(app: PagesApp, username: str, role: Role = Role.STAFF) -> None:
    """Store a user who signs in with PASSWORD."""
    _store_user(app.database, username, role)


def _store_user(database: Database, username: str, role: Role) -> None:
    email = f"{username}@example.com"
    with database.writing() as work:
        work.users.add(
            User(
                username=username,
                email=email,
                email_folded=email,
                hashed_password=_password_hash(),
                role=role,
                disabled=False,
                created_at=utcnow(),
            )
        )
        work.commit()


@cache
def _password_hash() -> str:
    return quick_hasher().hash(PASSWORD)
