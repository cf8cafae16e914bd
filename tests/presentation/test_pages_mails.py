"""The console's mails: which wait for a person, and sending them again."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.models import Delivery, WorkerHeartbeat
from tests.factories import a_lead, a_mail, store_mails
from tests.presentation.hostile_names import HOSTILE, as_shown
from tests.presentation.pages_app import HTML, PagesApp, hidden
from tests.waiting import wait_until

FAILED, HELD, QUEUED = DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.QUEUED
SENT, SENDING = DeliveryStatus.SENT, DeliveryStatus.SENDING
CONTEXT = {"first_name": "Zoë", "last_name": "Ångström", "reference": "R" * 26}


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


def test_what_waits_for_a_person_is_shown_first(app: PagesApp, client: httpx.Client) -> None:
    for status, tab in ((SENT, "All"), (QUEUED, "Waiting"), (HELD, "Held"), (FAILED, "Failed")):
        _store(app, status)
        page = client.get("/console/mails").text
        assert f'<h2 id="list">{tab}</h2>' in page
        assert re.findall(r'<a href="[^"]+" aria-current="page">(\w+) <span', page) == [tab]
    assert _tabs(page) == {"Failed": "1", "Held": "1", "Waiting": "1", "Sent": "1", "All": "4"}


def test_each_tab_shows_its_mails_with_all_that_is_known(
    app: PagesApp, client: httpx.Client
) -> None:
    with app.database.writing() as work:
        lead = a_lead(work)
        work.commit()
    _store(app, FAILED, "zoe@x.test", lead_id=lead.id, attempts=3, last_reply="550 <b>no</b>")
    _store(app, HELD, "bot@x.test", last_reply="It looks like a robot's.")
    _store(app, QUEUED, "late@x.test", attempts=1)
    failed = client.get("/console/mails?status=FAILED").text
    for shown in (
        "Confirmation to the prospect",
        "<bdi>zoe@x.test</bdi>",
        f'<a href="/console/leads/{lead.id}"><bdi>Zoë Ångström</bdi></a>',
        "3 attempts",
        "550 &lt;b&gt;no&lt;/b&gt;",
        "Send again",
    ):
        assert shown in failed
    assert "bot@x.test" not in failed
    held = client.get("/console/mails?status=HELD").text
    assert "It looks like a robot&#39;s." in held
    waiting = client.get("/console/mails?status=QUEUED").text
    assert 'Next try: <time datetime="' in waiting
    assert "1 attempt<" in waiting
    for recipient in ("zoe", "bot", "late"):
        assert f"{recipient}@x.test" in client.get("/console/mails?status=ALL").text


def test_a_mail_of_an_account_names_no_lead(app: PagesApp, client: httpx.Client) -> None:
    for kind in (DeliveryKind.INVITATION, DeliveryKind.PASSWORD_RESET):
        _store(app, FAILED, kind=kind)
    page = client.get("/console/mails").text
    assert "Invitation" in page
    assert "Password reset" in page
    assert "/console/leads/" not in page
    assert "Lead:" not in page


def test_the_pages_of_mails_show_each_once(app: PagesApp, client: httpx.Client) -> None:
    _store(app, HELD, *(f"s{number}@x.test" for number in range(120)))
    seen: list[str] = []
    address: str | None = "/console/mails?status=HELD"
    while address:
        page = client.get(address).text
        seen += re.findall(r"<bdi>(s\d+@x.test)</bdi>", page)
        found = re.search(r'<a rel="next" href="([^"]+)"', page)
        address = unescape(found[1]) if found else None
    assert seen == [f"s{number}@x.test" for number in reversed(range(120))]


@pytest.mark.parametrize("query", ["?status=LOST", "?status=failed", "?status=HELD&cursor=made-up"])
def test_a_list_that_is_not_there_is_refused_with_a_page(client: httpx.Client, query: str) -> None:
    page = client.get(f"/console/mails{query}")
    assert (page.status_code, page.headers["content-type"]) == (422, HTML)


@pytest.mark.parametrize("status", [FAILED, HELD, QUEUED])
def test_a_mail_is_sent_again_from_the_list(
    app: PagesApp, client: httpx.Client, status: DeliveryStatus
) -> None:
    first, second = _store(app, status, "zoe@x.test", "other@x.test")
    answer = _retry(client, first, status=status)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/console/mails?status={status}&")
    wait_until(lambda: _now(app, first).status is SENT)
    page = client.get(answer.headers["location"]).text
    assert "The mail to <bdi>zoe@x.test</bdi> was made due." in page
    assert '<strong class="status sent">Sent</strong></p>' in page
    assert _now(app, second).status is status
    assert _actions(app) == ["delivery.retried"]


def test_a_mail_is_sent_again_from_its_lead(app: PagesApp, client: httpx.Client) -> None:
    with app.database.writing() as work:
        lead = a_lead(work)
        work.commit()
    (mail,) = _store(app, HELD, lead_id=lead.id)
    path = f"/console/leads/{lead.id}"
    page = client.get(path)
    assert f'action="/console/mails/{mail.id}/retry"' in page.text
    answer = _retry(client, mail, lead_id=hidden(page, "lead_id"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=mail")
    after = client.get(answer.headers["location"]).text
    assert "The mail is due now" in after
    assert "had a mail sent again: Confirmation to the prospect" in after
    wait_until(lambda: _now(app, mail).status is SENT)


@pytest.mark.parametrize("status", [SENT, SENDING])
def test_what_was_sent_meanwhile_is_told_on_the_page(
    app: PagesApp, client: httpx.Client, status: DeliveryStatus
) -> None:
    with app.database.writing() as work:
        lead = a_lead(work)
        work.commit()
    (mail,) = _store(app, status, lead_id=lead.id)
    for fields, shown in (
        ({"status": "FAILED"}, '<h2 id="list">Failed</h2>'),
        ({"lead_id": str(lead.id)}, "<h1><bdi>Zoë Ångström</bdi></h1>"),
    ):
        answer = _retry(client, mail, **fields)
        assert (answer.status_code, answer.headers["content-type"]) == (409, HTML)
        assert "This mail was not sent again" in answer.text
        assert "<title>Please check: " in answer.text
        assert re.search(r'<section [^>]*role="alert"[^>]* tabindex="-1" autofocus>', answer.text)
        assert shown in answer.text
    assert _actions(app) == []


@pytest.mark.parametrize("mail_id", ["0193a5d2-0000-7000-8000-000000000000", "x", "0" * 500])
def test_an_unknown_mail_is_not_found(client: httpx.Client, mail_id: str) -> None:
    token = hidden(client.get("/console/mails"), "csrf_token")
    answer = client.post(f"/console/mails/{mail_id}/retry", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)


@pytest.mark.parametrize("lead_id", ["", "x", "-1", "9" * 40])
def test_a_made_up_way_back_sends_nothing(
    app: PagesApp, client: httpx.Client, lead_id: str
) -> None:
    (mail,) = _store(app, HELD)
    assert _retry(client, mail, lead_id=lead_id).status_code == 404
    assert _now(app, mail).status is HELD


@pytest.mark.parametrize("status", [FAILED, HELD, QUEUED])
def test_all_mails_of_a_status_are_sent_after_a_question(
    app: PagesApp, client: httpx.Client, status: DeliveryStatus
) -> None:
    mails = _store(app, status, "a@x.test", "b@x.test", "c@x.test")
    others = [_store(app, other)[0] for other in (FAILED, HELD, QUEUED) if other is not status]
    address = f"/console/mails/retry-all?status={status}"
    page = client.get(f"/console/mails?status={status}")
    assert '<form method="get" action="/console/mails/retry-all"' in page.text
    assert hidden(page, "status") == status
    asked = client.get(address)
    assert "Send 3 mails" in asked.text
    assert _actions(app) == []
    form = {name: hidden(asked, name) for name in ("csrf_token", "status")}
    answer = client.post("/console/mails/retry-all", data=form)
    assert answer.status_code == 303
    assert "3 mails were made due." in client.get(answer.headers["location"]).text
    wait_until(lambda: all(_now(app, mail).status is SENT for mail in mails))
    assert [_now(app, mail).status for mail in others] == [mail.status for mail in others]
    assert _actions(app) == ["deliveries.retried"]


def test_where_no_mail_waits_there_is_nothing_to_send(client: httpx.Client) -> None:
    page = client.get("/console/mails/retry-all?status=FAILED").text
    assert "There is none any more." in page
    assert '<form method="post" action="/console/mails' not in page


@pytest.mark.parametrize(
    ("status", "asked", "sent"),
    [("SENT", 404, 409), ("SENDING", 404, 409), ("", 422, 422), ("ALL", 422, 422), ("x", 422, 422)],
)
def test_all_of_another_status_are_not_sent_again(
    app: PagesApp, client: httpx.Client, status: str, asked: int, sent: int
) -> None:
    _store(app, FAILED)
    token = hidden(client.get("/console/mails"), "csrf_token")
    page = client.get("/console/mails/retry-all", params={"status": status})
    assert (page.status_code, page.headers["content-type"]) == (asked, HTML)
    answer = client.post("/console/mails/retry-all", data={"csrf_token": token, "status": status})
    assert (answer.status_code, answer.headers["content-type"]) == (sent, HTML)
    assert _actions(app) == []


def test_the_page_says_whether_mail_flows(app: PagesApp, client: httpx.Client) -> None:
    _beat(app, None)
    page = client.get("/console/mails").text
    assert '<strong class="status sent">flows</strong>' in page
    assert "No mail is overdue." in page
    _beat(app, "The mail server cannot be used: 554 <no>")
    page = client.get("/console/mails").text
    assert "has stopped</strong> The mail server cannot be used: 554 &lt;no&gt;" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_is_only_text(app: PagesApp, client: httpx.Client, name: str) -> None:
    context = {"first_name": name, "last_name": name}
    with app.database.writing() as work:
        lead = a_lead(work, first_name=name)
        work.commit()
    _store(app, FAILED, name[:200], lead_id=lead.id, context=context, last_reply=name[:500])
    page = client.get("/console/mails")
    assert page.status_code == 200
    assert page.text.count(as_shown(name)) >= 3
    assert name not in page.text or not set("<>&'\"") & set(name)


def _store(
    app: PagesApp,
    status: DeliveryStatus,
    *recipients: str,
    kind: DeliveryKind = DeliveryKind.PROSPECT_CONFIRMATION,
    context: dict[str, str] = CONTEXT,
    **fields: Any,
) -> list[Delivery]:
    """Store mails that no worker takes up: those that wait wait for long."""
    now = utcnow()
    mails = []
    for recipient in recipients or ("zoe@x.test",):
        mail = a_mail(kind, recipient, context, now=now)
        mail.status = status
        mail.next_attempt_at = now + timedelta(days=1) if status is QUEUED else None
        if status is SENDING:
            mail.lease_token, mail.lease_expires_at = uuid4(), now + timedelta(hours=1)
        for name, value in fields.items():
            setattr(mail, name, value)
        mails.append(mail)
    with app.database.writing() as work:
        store_mails(work, mails)
        work.commit()
    return mails


def _retry(client: httpx.Client, mail: Delivery, **fields: str) -> httpx.Response:
    token = hidden(client.get("/console/mails"), "csrf_token")
    return client.post(f"/console/mails/{mail.id}/retry", data={"csrf_token": token, **fields})


def _now(app: PagesApp, mail: Delivery) -> Delivery:
    with app.database.reading() as work:
        found = work.deliveries.get(mail.id)
    assert found
    return found


def _tabs(page: str) -> dict[str, str]:
    return dict(re.findall(r'>(\w+) <span class="count">(\d+\+?)</span>', page))


def _actions(app: PagesApp) -> list[str]:
    """What the events tell of mails."""
    with app.database.reading() as work:
        rows = work._session.connection().exec_driver_sql("SELECT action FROM events ORDER BY id")
        return [action for (action,) in rows if action.startswith("deliver")]


def _beat(app: PagesApp, outage: str | None) -> None:
    with app.database.writing() as work:
        work._session.query(WorkerHeartbeat).delete()
        row = WorkerHeartbeat(id=uuid4(), seen_at=utcnow(), failures_in_a_row=0, outage=outage)
        work.workers.beat(row)
        work.commit()
