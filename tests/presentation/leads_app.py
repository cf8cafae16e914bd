"""The whole application over a socket, with somebody of each role signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from notion_backend.app import build_app
from notion_backend.application.assembly import lay_foundations
from notion_backend.core.config import Settings
from notion_backend.core.enums import Role
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Lead
from notion_backend.data.unit_of_work import Database
from tests.accounts import SECRET, AccountKit
from tests.factories import a_lead
from tests.server.serving import serving


@dataclass(frozen=True)
class LeadsApp:
    """Clients for each role, whose addresses start behind `/api/v1`, and the database."""

    database: Database
    port: int
    admin: httpx.Client
    staff: httpx.Client
    nobody: httpx.Client

    def store(self, **fields: Any) -> Lead:
        with self.database.writing() as work:
            lead = a_lead(work, **fields)
            work.commit()
        return lead

    def actions(self, lead_id: int) -> list[str]:
        with self.database.reading() as work:
            return [event.action for event in work.events.of_lead(lead_id, after_id=0, limit=200)]


@contextmanager
def leads_app(folder: Path, database_url: str) -> Iterator[LeadsApp]:
    settings = Settings(data_dir=folder, database_url=database_url, secret_key=SECRET.decode())
    database = Database(create_database_engine(database_url))
    kit = AccountKit(database)
    tokens = []
    for username, role in (("root", Role.ADMIN), ("ada", Role.STAFF)):
        kit.add(username, role)
        tokens.append({"Authorization": f"Bearer {kit.sign_in(username).access_token}"})
    try:
        with serving(lambda: build_app(lay_foundations(settings))) as running:
            address = f"http://127.0.0.1:{running.port}/api/v1"
            admin, staff, nobody = (
                httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=20)
                for headers in (*tokens, {})
            )
            with admin, staff, nobody:
                yield LeadsApp(database, running.port, admin, staff, nobody)
    finally:
        database.close()


def refused(answer: httpx.Response, status: int, code: str, *fields: str) -> None:
    """Assert that the answer is this problem, about these fields."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert [error["field"] for error in problem["errors"]] == list(fields)
