"""The console's list of leads."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from notion_backend.data.models import Lead
from tests.factories import a_lead
from tests.presentation.pages_app import HTML, PagesApp


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


def test_the_list_shows_the_newest_first(app: PagesApp, client: httpx.Client) -> None:
    now = utcnow()
    for number in range(3):
        _store(app, last_name=f"Nr{number}", created_at=now - timedelta(minutes=number))
    assert _names(client.get("/console")) == ["Zoë Nr0", "Zoë Nr1", "Zoë Nr2"]


def test_the_list_is_narrowed_by_state_and_search(app: PagesApp, client: httpx.Client) -> None:
    _store(app, last_name="Åke", state=LeadState.REACHED_OUT)
    _store(app, last_name="Öl")
    _store(app, last_name="100%")
    for query, names in {
        "?state=PENDING&q=": ["Zoë 100%", "Zoë Öl"],
        "?state=REACHED_OUT": ["Zoë Åke"],
        "?q=%C3%B6l": ["Zoë Öl"],
        "?q=%25": ["Zoë 100%"],
        "?q=nobody": [],
    }.items():
        assert _names(client.get(f"/console{query}")) == names, query
    page = client.get("/console?q=%22%3E%3Cb%3E&state=PENDING").text
    assert 'value="&#34;&gt;&lt;b&gt;"' in page
    assert '<input type="hidden" name="state" value="PENDING">' in page


def test_the_pages_of_a_list_show_each_lead_once(app: PagesApp, client: httpx.Client) -> None:
    with app.database.writing() as work:
        for number in range(120):
            a_lead(work, last_name=f"A+B {number}", resume=None)
        a_lead(work, last_name="Other", resume=None)
        work.commit()
    seen: list[str] = []
    address: str | None = "/console?q=a%2Bb"
    while address:
        page = client.get(address)
        seen += _names(page)
        found = re.search(r'<a rel="next" href="([^"]+)"', page.text)
        address = unescape(found[1]) if found else None
    assert seen == [f"Zoë A+B {number}" for number in reversed(range(120))]


@pytest.mark.parametrize("query", ["?state=NEW", "?cursor=made-up", "?q=%00"])
def test_a_list_that_is_not_there_is_refused_with_a_page(client: httpx.Client, query: str) -> None:
    page = client.get(f"/console{query}")
    assert (page.status_code, page.headers["content-type"]) == (422, HTML)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "{{7*7}}",
        "🧑\u200d🚀" * 60,
        "مرحبا",
        "x" * 100,
        "O'Brien",
        "Null",
    ],
)
def test_every_name_is_shown_as_text(app: PagesApp, client: httpx.Client, name: str) -> None:
    lead = _store(app, first_name=name)
    shown = name.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    for path in ("/console", f"/console/leads/{lead.id}"):
        page = client.get(path)
        assert page.status_code == 200
        assert shown in page.text
        assert re.findall(r"<script[^>]*>", page.text) == re.findall(
            r'<script src="/static/[a-z./?=0-9-]+" defer>', page.text
        )


def _store(app: PagesApp, **overrides: Any) -> Lead:
    with app.database.writing() as work:
        lead = a_lead(work, **overrides)
        work.commit()
    return lead


def _names(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return re.findall(r'<a href="/console/leads/\d+"><bdi>([^<]+)</bdi>', page.text)
