"""The console's leads: the list, one lead, and what staff do with it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState
from notion_backend.data.models import Event, Lead
from tests.factories import A_RESUME, a_lead, a_mail, store_mails
from tests.presentation.pages_app import HTML, PagesApp, hidden


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
    "number", ["0", "99", "x", "1.0", "-1", "²", "9223372036854775808", "9" * 5000]
)
def test_an_unknown_lead_is_not_found(client: httpx.Client, number: str) -> None:
    page = client.get(f"/console/leads/{number}")
    assert (page.status_code, page.headers["content-type"]) == (404, HTML)


def test_a_lead_is_shown_with_its_story(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app, flags=[{"code": "x", "reason": "The résumé is encrypted."}])
    now = utcnow()
    with app.database.writing() as work:
        mail = a_mail(DeliveryKind.PROSPECT_CONFIRMATION, lead.email, {}, now=now, lead_id=lead.id)
        mail.status, mail.last_reply = DeliveryStatus.FAILED, "550 <b>no such user</b>"
        store_mails(work, [mail])
        work.flush()
        work.leases.note_attempt(
            {"delivery_id": mail.id, "at": now, "stage": "rcpt", "reply": "550 gone"}
        )
        work.leases.save([])
        work.events.add(
            Event(lead_id=lead.id, at=now, actor="prospect", action="lead.submitted", detail="")
        )
        work.commit()
    page = client.get(f"/console/leads/{lead.id}").text
    for shown in (
        lead.reference,
        "zoe@example.com",
        "résumé.pdf",
        "The résumé is encrypted.",
        "FAILED",
        "550 &lt;b&gt;no such user&lt;/b&gt;",
        "rcpt: 550 gone",
        "lead.submitted",
    ):
        assert shown in page


def test_a_lead_is_marked_as_reached_out_and_pending_again(
    app: PagesApp, client: httpx.Client
) -> None:
    lead = _store(app)
    assert _move(client, lead, state="REACHED_OUT").status_code == 303
    assert "by <bdi>admin</bdi>" in client.get(f"/console/leads/{lead.id}").text
    refused = _move(client, lead, state="PENDING", reason="")
    assert refused.status_code == 422
    assert 'id="reason-mistake"' in refused.text
    assert _move(client, lead, state="PENDING", reason="Wrong <person>").status_code == 303
    page = client.get(f"/console/leads/{lead.id}").text
    assert "Wrong &lt;person&gt;" in page
    assert "Mark as reached out" in page


@pytest.mark.parametrize("state", ["", "LOST", "pending"])
def test_there_is_no_other_state(app: PagesApp, client: httpx.Client, state: str) -> None:
    lead = _store(app)
    answer = _move(client, lead, state=state)
    assert answer.status_code == 422
    assert app.leads()[0].state is LeadState.PENDING


def test_a_resume_is_downloaded_byte_for_byte(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    answer = client.get(f"/console/leads/{lead.id}/resume")
    assert answer.content == A_RESUME
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "filename*=UTF-8''r%C3%A9sum%C3%A9.pdf" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "resume.downloaded" in client.get(f"/console/leads/{lead.id}").text


def test_a_lead_without_a_resume_says_so(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app, resume=None)
    assert "/resume" not in client.get(f"/console/leads/{lead.id}").text
    assert client.get(f"/console/leads/{lead.id}/resume").status_code == 404


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


def _move(client: httpx.Client, lead: Lead, **fields: str) -> httpx.Response:
    path = f"/console/leads/{lead.id}"
    token = hidden(client.get(path), "csrf_token")
    return client.post(f"{path}/state", data={"csrf_token": token, **fields})
