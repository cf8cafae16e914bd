"""The console's list: tabs, order, the part that scripts ask for, and its export."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from tests.factories import a_lead
from tests.presentation.pages_app import PagesApp
from tests.rows import all_events
from tests.waiting import wait_until

FLAG = [{"code": "form_too_quick", "reason": "The form was sent sooner than a person fills it in."}]


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


def test_tabs_show_a_state_or_what_is_flagged(app: PagesApp, client: httpx.Client) -> None:
    _store(app, first_name="Ada")
    _store(app, first_name="Bo", state=LeadState.REACHED_OUT)
    _store(app, first_name="Cy", flags=FLAG)
    for tab, names in {
        "All": ["Cy", "Bo", "Ada"],
        "Pending": ["Cy", "Ada"],
        "Reached out": ["Bo"],
        "Flagged": ["Cy"],
    }.items():
        address = _link(client.get("/console").text, tab)
        page = client.get(address)
        assert _names(page) == names, tab
        assert re.findall(r'href="([^"]*)" aria-current="page">', _tabs(page.text)) == [address]


def test_a_tab_keeps_search_and_order(app: PagesApp, client: httpx.Client) -> None:
    page = client.get("/console?q=zo%C3%AB&sort=email").text
    assert _link(page, "Flagged") == "/console?q=zo%C3%AB&sort=email&flagged=true"


def test_a_tab_says_how_many_there_are_once_that_is_known(
    app: PagesApp, client: httpx.Client
) -> None:
    _store(app)
    wait_until(lambda: "<small>1</small>" in client.get("/console").text)


def test_a_column_orders_the_list_and_turns_it_round(app: PagesApp, client: httpx.Client) -> None:
    for number, name in enumerate(("b", "c", "a")):
        _store(app, first_name="x", last_name=name, email=f"{number}@example.com")
    page = client.get("/console")
    assert 'aria-sort="descending"><a href="/console?sort=created_at">Received' in page.text
    for column, orders in {
        "Name": ["a b c", "c b a"],
        "E-mail address": ["b c a", "a c b"],
    }.items():
        for order in orders:
            page = client.get(_link(page.text, column))
            assert _names(page) == [f"x {name}" for name in order.split()]
        assert page.text.count("aria-sort=") == 1


@pytest.mark.parametrize("query", ["state=GONE", "sort=id", "sort=created_at%00", "cursor=x"])
def test_an_address_that_makes_no_sense_is_a_clear_error(client: httpx.Client, query: str) -> None:
    assert client.get(f"/console?{query}").status_code == 422


def test_a_script_gets_the_part_that_changes(app: PagesApp, client: httpx.Client) -> None:
    _store(app, first_name="Ada")
    part = client.get("/console?q=ada", headers={"HX-Request": "true"})
    assert _names(part) == ["Ada"]
    assert part.text.lstrip().startswith('<section id="found"')
    assert "<html" not in part.text
    assert part.headers["vary"] == "HX-Request"
    assert part.headers["cache-control"] == "no-store"


def test_a_script_whose_session_is_over_takes_the_whole_page_to_sign_in(app: PagesApp) -> None:
    with app.browser() as stranger:
        answer = stranger.get("/console?q=ada", headers={"HX-Request": "true"})
        assert answer.headers["hx-redirect"] == "/console/sign-in?next=/console%3Fq%3Dada"
        assert (answer.status_code, answer.text) == (200, "")


def test_an_empty_list_says_what_to_do(app: PagesApp, client: httpx.Client) -> None:
    assert "No lead has arrived yet." in client.get("/console").text
    assert "No lead matches." in client.get("/console?q=nobody").text


def test_the_list_is_exported_as_it_is_filtered(app: PagesApp, client: httpx.Client) -> None:
    _store(app, first_name="Ada", state=LeadState.REACHED_OUT)
    _store(app, first_name="Bo")
    page = client.get("/console?state=REACHED_OUT")
    answer = client.get(_link(page.text, "Export as CSV"))
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert ("Ada" in answer.text, "Bo" in answer.text) == (True, False)
    assert [event.action for event in all_events(app.database)][-1] == "leads.exported"
    lines = client.get("/console/leads/export?format=jsonl").text.splitlines()
    assert len(lines) == 2
    assert client.get("/console/leads/export?format=xml").status_code == 404


def test_strangers_export_nothing(app: PagesApp) -> None:
    with app.browser() as stranger:
        assert stranger.get("/console/leads/export").status_code == 303
    assert all_events(app.database) == []


def _store(app: PagesApp, **overrides: Any) -> None:
    fields = {"last_name": "", **overrides}
    with app.database.writing() as work:
        newest = len(app.leads())
        a_lead(work, resume=None, created_at=utcnow() + timedelta(seconds=newest), **fields)
        work.commit()


def _names(page: httpx.Response) -> list[str]:
    found = re.findall(r'<th scope="row"><a [^>]*><bdi>(.*?)</bdi>', page.text)
    return [unescape(name).strip() for name in found]


def _tabs(page: str) -> str:
    found = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert found
    return found[0].replace("&amp;", "&")


def _link(page: str, text: str) -> str:
    found = re.search(
        rf'<a href="([^"]*)"[^>]*>{re.escape(text)}(?: <small>\d+</small>)?</a>', page
    )
    assert found, text
    return unescape(found[1])
