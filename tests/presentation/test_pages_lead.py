"""One lead in the console: its story, and what staff do with it."""

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
from tests.presentation.hostile_names import HOSTILE, as_shown
from tests.presentation.pages_app import HTML, PagesApp, add_user, hidden

FLAG = {"code": "resume_encrypted", "reason": "The résumé cannot be opened without its password."}


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


@pytest.fixture
def bob(app: PagesApp) -> Iterator[httpx.Client]:
    """A colleague, who is no administrator."""
    add_user(app, "bob")
    with app.signed_in("bob") as browser:
        yield browser


@pytest.mark.parametrize(
    "number", ["0", "99", "x", "1.0", "-1", "²", "9223372036854775808", "9" * 5000]
)
@pytest.mark.parametrize("page", ["", "/resume", "/erase"])
def test_an_unknown_lead_is_not_found(client: httpx.Client, number: str, page: str) -> None:
    answer = client.get(f"/console/leads/{number}{page}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)


def test_a_lead_is_shown_with_its_story(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app, flags=[FLAG])
    now = utcnow()
    with app.database.writing() as work:
        mail = a_mail(DeliveryKind.PROSPECT_CONFIRMATION, lead.email, {}, now=now, lead_id=lead.id)
        mail.status, mail.last_reply = DeliveryStatus.FAILED, "550 <b>no such user</b>"
        later = a_mail(DeliveryKind.STAFF_NOTIFICATION, "desk@x.test", {}, now=now, lead_id=lead.id)
        later.next_attempt_at = now.replace(year=2099, microsecond=0)
        held = a_mail(
            DeliveryKind.PROSPECT_CONFIRMATION, "held@x.test", {}, now=now, held="Too many."
        )
        held.lead_id = lead.id
        store_mails(work, [mail, later, held])
        work.flush()
        for stage, reply in (
            ("mail", "451 later"),
            ("rcpt", "550 <b>no such user</b>" + "x" * 400),
        ):
            work.leases.note_attempt(
                {"delivery_id": mail.id, "at": now, "stage": stage, "reply": reply}
            )
        work.leases.save([])
        for action, detail in (
            ("lead.submitted", ""),
            ("lead.corrected", "first_name, email"),
            ("delivery.retried", "prospect_confirmation"),
            ("lead.reopened", "SENT, <i>twice</i>"),
        ):
            work.events.add(
                Event(lead_id=lead.id, at=now, actor="ann", action=action, detail=detail)
            )
        work.commit()
    page = client.get(f"/console/leads/{lead.id}").text
    for shown in (
        lead.reference,
        "zoe@example.com",
        "résumé.pdf",
        f"<strong>Flagged:</strong> {FLAG['reason']}",
        "Confirmation to the prospect",
        "Failed",
        'Sender: <bdi class="reply">451 later</bdi>',
        'Recipient: <bdi class="reply">550 &lt;b&gt;no such user&lt;/b&gt;' + "x" * 400,
        f'Next try: <time datetime="2099-{now:%m-%dT%H:%M}',
        "Too many.",
        "<bdi>ann</bdi> sent the form",
        "corrected the details: first name, e-mail address",
        "had a mail sent again: Confirmation to the prospect",
        'set it back to pending: <bdi class="reply">SENT, &lt;i&gt;twice&lt;/i&gt;</bdi>',
    ):
        assert shown in page
    assert re.findall(r">\s*(Send again|Send now|Release)\s*<", page) == [
        "Send again",
        "Send now",
        "Release",
    ]


def test_the_time_of_every_attempt_stands_beside_it(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    at = utcnow().replace(hour=4, minute=5)
    with app.database.writing() as work:
        mail = a_mail(DeliveryKind.STAFF_NOTIFICATION, "a@x.test", {}, now=at, lead_id=lead.id)
        mail.status = DeliveryStatus.SENT
        mail.next_attempt_at = None
        store_mails(work, [mail])
        work.flush()
        note = {"delivery_id": mail.id, "at": at, "stage": "sent", "reply": "250 ok"}
        work.leases.note_attempt(note)  # type: ignore[arg-type]
        work.leases.save([])
        work.commit()
    page = client.get(f"/console/leads/{lead.id}").text
    assert f'">{at:%Y-%m-%d} 04:05 UTC</time>, Accepted: <bdi class="reply">250 ok</bdi>' in page
    assert "/retry" not in page


def test_a_user_keeps_their_name_whatever_it_means_and_others_are_named(
    app: PagesApp, client: httpx.Client
) -> None:
    lead = _store(app)
    with app.database.writing() as work:
        for actor in ("prospect", "flagged", "shell"):
            work.events.add(Event(lead_id=lead.id, at=utcnow(), actor=actor, action="x", detail=""))
        work.commit()
    page = client.get(f"/console/leads/{lead.id}", headers={"Accept-Language": "de"}).text
    shown = re.findall(r"</time>, <bdi>([^<]+)</bdi> x", page)
    assert shown == ["Die anfragende Person", "flagged", "Die Kommandozeile"]


def test_many_mails_are_read_page_by_page(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    now = utcnow()
    with app.database.writing() as work:
        mails = [
            a_mail(DeliveryKind.STAFF_NOTIFICATION, f"s{n}@x.test", {}, now=now, lead_id=lead.id)
            for n in range(201)
        ]
        for mail in mails:
            mail.status, mail.next_attempt_at = DeliveryStatus.SENT, None
        store_mails(work, mails)
        work.commit()
    page = client.get(f"/console/leads/{lead.id}").text
    assert "s200@x.test" not in page
    [more] = re.findall(r'href="([^"]+\?mails=[^"]+)"', page)
    assert "s200@x.test" in client.get(unescape(more)).text
    for made_up in ("mails=made-up", "events=made-up"):
        assert client.get(f"/console/leads/{lead.id}?{made_up}").status_code == 422


def test_a_lead_is_marked_as_reached_out_and_pending_again(
    app: PagesApp, client: httpx.Client
) -> None:
    lead = _store(app)
    assert _send(client, lead, "state", state="REACHED_OUT").status_code == 303
    assert "by <bdi>admin</bdi>" in client.get(f"/console/leads/{lead.id}").text
    refused = _send(client, lead, "state", state="PENDING", reason="")
    assert refused.status_code == 422
    assert 'id="reason-mistake"' in refused.text
    answer = _send(client, lead, "state", state="PENDING", reason="Wrong <person>")
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert "Wrong &lt;person&gt;" in page
    assert _status_message(page) == "The lead is pending again."
    assert "Mark as reached out" in page


@pytest.mark.parametrize("state", ["", "LOST", "pending"])
def test_there_is_no_other_state(app: PagesApp, client: httpx.Client, state: str) -> None:
    lead = _store(app)
    assert _send(client, lead, "state", state=state).status_code == 422
    assert app.leads()[0].state is LeadState.PENDING


def test_what_was_marked_is_undone(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    marked = _send(client, lead, "state", state="REACHED_OUT")
    page = client.get(marked.headers["location"])
    assert _status_message(page.text).startswith("Marked as reached out. Undo")
    answer = client.post(
        f"/console/leads/{lead.id}/undo",
        data={"csrf_token": hidden(page, "csrf_token"), "version": hidden(page, "version")},
    )
    assert answer.status_code == 303
    after = client.get(answer.headers["location"]).text
    assert _status_message(after) == "Undone: the lead is pending again."
    assert "Undone." in after
    assert app.leads()[0].state is LeadState.PENDING


def test_undo_is_offered_to_whoever_marked_it_until_something_else_happens(
    app: PagesApp, client: httpx.Client, bob: httpx.Client
) -> None:
    lead = _store(app)
    address = _send(client, lead, "state", state="REACHED_OUT").headers["location"]
    assert ">Undo<" in client.get(address).text
    assert ">Undo<" not in client.get(f"/console/leads/{lead.id}").text
    assert "Marked as reached out." not in bob.get(address).text
    assert _send(bob, lead, "correct", first_name="Zoe").status_code == 303
    assert "Marked as reached out." not in client.get(address).text


def test_a_long_history_begins_with_what_happened_last(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    with app.database.writing() as work:
        for number in range(120):
            work.events.add(
                Event(at=utcnow(), actor=f"n{number}", action="x", detail="", lead_id=lead.id)
            )
        work.commit()
    address, shown = f"/console/leads/{lead.id}", []
    while address:
        page = client.get(address).text
        shown.append([int(each) for each in re.findall(r"<bdi>n(\d+)</bdi>", page)])
        assert ("Latest entries" in page) == (len(shown) > 1)
        earlier = re.search(r'href="([^"]+)#history">Earlier entries', page)
        address = unescape(earlier[1]) if earlier else ""
    assert shown == [[*range(70, 120)], [*range(20, 70)], [*range(20)]]


@pytest.mark.parametrize("version", [None, "", "1", "x", "²", "9" * 30])
def test_nothing_is_undone_once_something_else_has_happened(
    app: PagesApp, client: httpx.Client, version: str | None
) -> None:
    lead = _store(app)
    _send(client, lead, "state", state="REACHED_OUT")
    fields = {"version": version} if version is not None else {}
    token = hidden(client.get(f"/console/leads/{lead.id}"), "csrf_token")
    answer = client.post(f"/console/leads/{lead.id}/undo", data={"csrf_token": token, **fields})
    assert (answer.status_code, answer.headers["content-type"]) == (412, HTML)
    assert "Somebody changed this lead meanwhile." in answer.text
    assert app.leads()[0].state is LeadState.REACHED_OUT


def test_a_form_that_is_older_than_the_lead_changes_nothing(
    app: PagesApp, client: httpx.Client, bob: httpx.Client
) -> None:
    lead = _store(app)
    old = hidden(client.get(f"/console/leads/{lead.id}"), "version")
    _send(bob, lead, "state", state="REACHED_OUT")
    late = _send(client, lead, "state", version=old, state="REACHED_OUT")
    assert late.status_code == 412
    assert "Somebody changed this lead meanwhile." in late.text
    assert "by <bdi>bob</bdi>" in late.text
    assert re.search(
        r"last entry of its history: <time [^>]+>[^<]+</time>, <bdi>bob</bdi>", late.text
    )
    assert hidden(late, "version") == "2"
    assert app.leads()[0].reached_out_by == "bob"


def test_what_was_typed_is_kept_when_somebody_else_was_quicker(
    app: PagesApp, client: httpx.Client, bob: httpx.Client
) -> None:
    lead = _store(app)
    _send(bob, lead, "correct", last_name="Angström")
    late = _send(
        client,
        lead,
        "correct",
        version="1",
        first_name="Zo",
        last_name="Ångstrøm",
        email="z@x.test",
    )
    assert late.status_code == 412
    assert '<details id="correct" open>' in late.text
    assert [_typed(late.text, name) for name in ("first_name", "last_name", "email")] == [
        "Zo",
        "Ångstrøm",
        "z@x.test",
    ]
    assert '<small id="last_name-hint">Stored now: <bdi>Angström</bdi></small>' in late.text
    _send(client, lead, "state", state="REACHED_OUT")
    _send(bob, lead, "state", state="PENDING", reason="He asked for it")
    late = _send(client, lead, "state", version="3", state="PENDING", reason="Wrong <number>")
    assert late.status_code == 412
    assert "Wrong &lt;number&gt;" in late.text


def test_a_second_click_finds_the_lead_marked(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    first = _send(client, lead, "state", version="1", state="REACHED_OUT")
    second = _send(client, lead, "state", version="1", state="REACHED_OUT")
    assert second.status_code == 303
    assert second.headers["location"] == first.headers["location"]
    assert len(_events(app, lead)) == 1


def test_a_form_without_a_version_sets_no_condition(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    token = hidden(client.get(f"/console/leads/{lead.id}"), "csrf_token")
    answer = client.post(
        f"/console/leads/{lead.id}/state", data={"csrf_token": token, "state": "REACHED_OUT"}
    )
    assert answer.status_code == 303


def test_after_a_lead_comes_the_oldest_that_is_pending_behind_it(
    app: PagesApp, client: httpx.Client
) -> None:
    now = utcnow()
    leads = [
        _store(app, last_name=f"Nr{n}", created_at=now - timedelta(hours=9 - n)) for n in range(4)
    ]
    _send(client, leads[2], "state", state="REACHED_OUT")
    assert _next(client, leads[1]) == leads[3].id
    assert _next(client, leads[2]) == leads[3].id
    assert _next(client, leads[3]) == leads[0].id
    answer = _send(client, leads[3], "state", state="REACHED_OUT")
    page = client.get(answer.headers["location"]).text
    assert "Next pending lead: <bdi>Zoë Nr0</bdi>" in page
    assert 'href="/console?state=PENDING"' in page
    _send(client, leads[1], "state", state="REACHED_OUT")
    assert _next(client, leads[0]) is None
    answer = _send(client, leads[0], "state", state="REACHED_OUT")
    assert "No lead is pending any more." in client.get(answer.headers["location"]).text


def test_other_leads_of_the_same_address_are_named(app: PagesApp, client: httpx.Client) -> None:
    first = _store(app, email="a+b@x.test")
    page = client.get(f"/console/leads/{first.id}").text
    assert "with this address" not in page
    _store(app, email="A+B@x.test")
    _store(app, email="other@x.test")
    page = client.get(f"/console/leads/{first.id}").text
    assert '<a href="/console?q=a%2Bb%40x.test">1 other lead with this address</a>' in page
    with app.database.writing() as work:
        for _ in range(101):
            a_lead(work, email="a+b@x.test", resume=None)
        work.commit()
    assert "100 or more other leads" in client.get(f"/console/leads/{first.id}").text


def test_a_typing_error_is_corrected(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    answer = _send(
        client, lead, "correct", first_name=" Zoe ", last_name="Ångström", email="zoe@x.test"
    )
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert _status_message(page) == "The details are saved."
    assert "<h1><bdi>Zoe Ångström</bdi></h1>" in page
    assert "corrected the details: first name, e-mail address" in page


def test_a_wrong_correction_is_told_beside_its_field(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    refused = _send(client, lead, "correct", first_name="", last_name='"><b>', email="zoe@nowhere")
    assert refused.status_code == 422
    assert '<details id="correct" open>' in refused.text
    assert 'id="first_name-mistake"' in refused.text
    assert 'id="last_name-mistake"' not in refused.text
    assert 'id="email-mistake"' in refused.text
    assert _typed(refused.text, "last_name") == '"><b>'
    assert app.leads()[0].version == 1


def test_an_administrator_erases_a_lead(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    path = f"/console/leads/{lead.id}"
    assert f'<a href="{path}/erase">' in client.get(path).text
    page = client.get(f"{path}/erase")
    for shown in ("Zoë Ångström", "zoe@example.com", "résumé.pdf", lead.reference):
        assert shown in page.text
    form = {"csrf_token": hidden(page, "csrf_token")}
    for unconfirmed in ({}, {"confirmed": ""}, {"confirmed": "no"}):
        refused = client.post(f"{path}/erase", data=form | unconfirmed)
        assert refused.status_code == 422
        assert 'aria-describedby="confirmed-mistake"' in refused.text
        assert len(app.leads()) == 1
    answer = client.post(f"{path}/erase", data=form | {"confirmed": "yes"})
    assert answer.status_code == 303
    listed = client.get(answer.headers["location"]).text
    assert _status_message(listed).startswith("The lead is erased")
    assert app.leads() == []
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/erase", data=form | {"confirmed": "yes"}).status_code == 404


def test_staff_erase_nothing(app: PagesApp, bob: httpx.Client) -> None:
    lead = _store(app)
    path = f"/console/leads/{lead.id}"
    page = bob.get(path)
    assert "/erase" not in page.text
    asked = bob.get(f"{path}/erase")
    assert (asked.status_code, asked.headers["content-type"]) == (403, HTML)
    form = {"csrf_token": hidden(page, "csrf_token"), "confirmed": "yes"}
    assert bob.post(f"{path}/erase", data=form).status_code == 403
    assert len(app.leads()) == 1


@pytest.mark.parametrize("action", ["state", "undo", "correct", "erase"])
def test_a_form_of_a_lead_that_is_gone_is_answered_with_a_page(
    app: PagesApp, client: httpx.Client, action: str
) -> None:
    token = hidden(client.get("/console/account"), "csrf_token")
    fields = {"state": "REACHED_OUT", "version": "1", "first_name": "A", "confirmed": "yes"}
    answer = client.post(f"/console/leads/4711/{action}", data={"csrf_token": token, **fields})
    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)


def test_a_resume_is_downloaded_byte_for_byte(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app)
    answer = client.get(f"/console/leads/{lead.id}/resume")
    assert answer.content == A_RESUME
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "filename*=UTF-8''r%C3%A9sum%C3%A9.pdf" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<bdi>admin</bdi> read the résumé" in client.get(f"/console/leads/{lead.id}").text


def test_a_lead_without_a_resume_says_so(app: PagesApp, client: httpx.Client) -> None:
    lead = _store(app, resume=None)
    assert "/resume" not in client.get(f"/console/leads/{lead.id}").text
    assert "the résumé <bdi>" not in client.get(f"/console/leads/{lead.id}/erase").text
    assert client.get(f"/console/leads/{lead.id}/resume").status_code == 404


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_is_only_text(app: PagesApp, client: httpx.Client, name: str) -> None:
    lead = _store(app, first_name=name, last_name=name, resume_filename=f"{name}.pdf")
    other = _store(app, first_name=name, last_name=name)
    address = _send(client, lead, "state", state="REACHED_OUT").headers["location"]
    for path in (address, f"/console/leads/{other.id}", f"/console/leads/{lead.id}/erase"):
        page = client.get(path)
        assert page.status_code == 200
        assert as_shown(name) in page.text
        assert name not in page.text or not set("<>&'\"") & set(name)
    late = _send(client, lead, "correct", version="1", first_name=name + "1", email=name)
    assert late.status_code == 412
    assert _typed(late.text, "first_name") == name + "1"


def _store(app: PagesApp, **overrides: Any) -> Lead:
    with app.database.writing() as work:
        lead = a_lead(work, **overrides)
        work.commit()
    return lead


def _send(client: httpx.Client, lead: Lead, action: str, **fields: str) -> httpx.Response:
    """Send a form of the lead's page with the version that the page has now."""
    path = f"/console/leads/{lead.id}"
    page = client.get(path)
    kept = {name: hidden(page, name) for name in ("csrf_token", "version")}
    return client.post(f"{path}/{action}", data=kept | fields)


def _status_message(page: str) -> str:
    found = re.findall(r'<(p|div) class="message" role="status">(.*?)</\1>', page, re.DOTALL)
    assert len(found) == 1, found
    return " ".join(re.sub(r"<[^>]*>", " ", unescape(found[0][1])).split())


def _typed(page: str, name: str) -> str:
    found = re.search(rf'<input id="{name}" [^>]*?value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def _next(client: httpx.Client, lead: Lead) -> int | None:
    page = client.get(f"/console/leads/{lead.id}").text
    found = re.search(r'<a href="/console/leads/(\d+)">Next pending lead</a>', page)
    return int(found[1]) if found else None


def _events(app: PagesApp, lead: Lead) -> list[str]:
    with app.database.reading() as work:
        return [one.action for one in work.events.of_lead(lead.id, after_id=0, limit=99)]
