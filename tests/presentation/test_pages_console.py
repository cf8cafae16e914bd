"""Signing in to the console, its sessions, and what keeps other sites out."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from notion_backend.core.clock import utcnow
from notion_backend.data.models import Session, User, WorkerHeartbeat
from notion_backend.presentation.pages.console_sign_in import local_page
from tests.presentation.pages_app import HTML, PASSWORD, PagesApp, hidden, pages_app, sign_in
from tests.waiting import wait_until

WORKER = UUID(int=1)
NEW_PASSWORD = "ten green frogs sing"
CONSOLE_PAGES = (
    "/console",
    "/console?q=zo&state=PENDING",
    "/console/leads/{}",
    "/console/leads/{}/erase",
    "/console/mails",
    "/console/mails?status=SENT",
    "/console/mails/retry-all?status=HELD",
    "/console/account",
)


def test_whoever_signs_in_gets_a_session_of_their_own(app: PagesApp) -> None:
    with app.browser() as client:
        client.cookies.set("session", "set by somebody else")
        answer = sign_in(client)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        name, _, rest = answer.headers["set-cookie"].partition("=")
        value, *attributes = rest.split("; ")
        assert name == "session"
        assert len(value) >= 43
        assert {word.lower() for word in attributes} == {"httponly", "path=/", "samesite=lax"}
        assert client.get("/console").status_code == 200
        with app.database.reading() as work:
            (session,) = work._session.query(Session).all()
        assert session.cookie_hash not in (None, value)


def test_over_https_the_cookie_cannot_be_set_by_others(tmp_path: Path, sqlite_url: str) -> None:
    with (
        pages_app(tmp_path, sqlite_url, public_url="https://leads.example.com") as app,
        app.browser() as client,
    ):
        cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert "; secure" in cookie.lower()
    assert "; path=/" in cookie.lower()
    assert "domain" not in cookie.lower()


def test_a_new_sign_in_ends_the_session_before(app: PagesApp) -> None:
    with app.signed_in() as client, app.browser() as thief:
        old = client.cookies["session"]
        thief.cookies.set("session", old)
        assert thief.get("/console").status_code == 200
        sign_in(client)
        assert client.cookies["session"] != old
        assert thief.get("/console").status_code == 303


@pytest.mark.parametrize(
    ("username", "password"), [("admin", "wrong"), ("nobody", PASSWORD), ("", ""), ("admin\0", "x")]
)
def test_every_failure_to_sign_in_looks_alike(app: PagesApp, username: str, password: str) -> None:
    with app.browser() as client:
        page = sign_in(client, username, password)
        assert (page.status_code, page.headers["content-type"]) == (401, HTML)
        assert '<h2 id="mistakes">Signing in failed.</h2>' in page.text
        assert "<p>Check the user name or e-mail address and the password.</p>" in page.text
        assert "set-cookie" not in page.headers
        assert PASSWORD not in page.text


def test_too_many_tries_are_told_when_to_come_back(tmp_path: Path, sqlite_url: str) -> None:
    with pages_app(tmp_path, sqlite_url, login_rate_limit="1/hour") as app, app.browser() as client:
        assert sign_in(client, password="wrong").status_code == 401
        page = sign_in(client)
        assert (page.status_code, page.headers["content-type"]) == (429, HTML)
        assert int(page.headers["retry-after"]) > 3000


@pytest.mark.parametrize("path", CONSOLE_PAGES)
def test_whoever_is_signed_out_is_led_to_the_sign_in_and_back(
    app: PagesApp, lead_id: int, path: str
) -> None:
    path = path.format(lead_id)
    with app.browser() as client:
        answer = client.get(path)
        assert answer.status_code == 303
        page = client.get(answer.headers["location"])
        target = hidden(page, "next")
        assert target == path
        assert sign_in(client, next=target).headers["location"] == path
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//evil.com",
        "https:evil",
        "/\\evil",
        "javascript:alert(1)",
        "/consolee",
        "/console/..//evil.com",
        "/console/%2e%2e/docs",
        "/console\r\nX: y",
        "/",
        "",
    ],
)
def test_the_sign_in_leads_nowhere_but_into_the_console(app: PagesApp, target: str) -> None:
    with app.browser() as client:
        page = client.get("/console/sign-in", params={"next": target})
        assert hidden(page, "next") == local_page(target) == "/console"


def test_a_target_outside_is_not_followed_either(app: PagesApp) -> None:
    with app.browser() as client:
        assert sign_in(client, next="//evil.com").headers["location"] == "/console"


def test_signing_out_ends_the_session_at_once(app: PagesApp) -> None:
    with app.signed_in() as client, app.browser() as thief:
        thief.cookies.set("session", client.cookies["session"])
        token = hidden(client.get("/console"), "csrf_token")
        answer = client.post("/console/sign-out", data={"csrf_token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
        assert "session" not in client.cookies
        assert thief.get("/console").status_code == 303
        with app.database.reading() as work:
            assert work._session.query(Session).count() == 0


@pytest.mark.parametrize(
    ("column", "ago"),
    [("last_seen_at", timedelta(minutes=30)), ("expires_at", timedelta(seconds=1))],
)
def test_a_session_ends_when_idle_or_old(app: PagesApp, column: str, ago: timedelta) -> None:
    with app.signed_in() as client:
        _change_sessions(app, **{column: utcnow() - ago})
        assert client.get("/console").status_code == 303


def test_a_session_lasts_while_it_is_used_but_not_over_twelve_hours(app: PagesApp) -> None:
    with app.signed_in() as client:
        earlier = utcnow() - timedelta(minutes=29)
        _change_sessions(app, last_seen_at=earlier)
        assert client.get("/console").status_code == 200
        with app.database.reading() as work:
            (session,) = work._session.query(Session).all()
        assert utcnow() - session.last_seen_at < timedelta(minutes=1)
        assert session.expires_at - session.created_at == timedelta(hours=12)


def test_a_disabled_user_is_out_at_the_next_request(app: PagesApp) -> None:
    with app.signed_in() as client:
        _change_users(app, disabled=True)
        assert client.get("/console").status_code == 303


def test_a_bearer_of_a_cookie_is_nobody_at_the_api(app: PagesApp) -> None:
    with app.signed_in() as client:
        headers = {"Authorization": f"Bearer {client.cookies['session']}"}
        assert client.get("/api/v1/deliveries", headers=headers).status_code == 401
        assert client.get("/api/v1/deliveries").status_code == 401


def test_changing_the_password_ends_every_session(app: PagesApp) -> None:
    with app.signed_in() as client, app.signed_in() as other:
        token = hidden(client.get("/console/account"), "csrf_token")
        form = {"csrf_token": token, "current_password": PASSWORD, "new_password": NEW_PASSWORD}
        answer = client.post("/console/account", data=form)
        assert answer.status_code == 303
        assert "The password is changed" in client.get(answer.headers["location"]).text
        assert client.get("/console").status_code == other.get("/console").status_code == 303
        assert sign_in(client).status_code == 401
        assert sign_in(client, password=NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", NEW_PASSWORD, "current_password"), (PASSWORD, "short", "new_password")],
)
def test_a_password_that_may_not_be_is_refused_beside_its_field(
    app: PagesApp, current: str, new: str, field: str
) -> None:
    with app.signed_in() as client:
        token = hidden(client.get("/console/account"), "csrf_token")
        form = {"csrf_token": token, "current_password": current, "new_password": new}
        page = client.post("/console/account", data=form)
        assert page.status_code == 422
        assert f'id="{field}-mistake"' in page.text
        assert f'value="{new}"' not in page.text
        assert client.get("/console").status_code == 200


def test_the_page_of_password_links_has_one_script_of_ours(app: PagesApp) -> None:
    with app.browser() as client:
        page = client.get("/console/password")
        assert page.headers["content-security-policy"].endswith("; script-src 'self'")
        assert page.text.count("<script") == 1
        assert '<script src="/static/password.js?v=' in page.text
        refused = client.post("/console/password", data={"token": 't&"', "password": NEW_PASSWORD})
        assert refused.status_code == 422
        assert 'id="token-mistake"' in refused.text
        assert 'value="t&amp;&#34;"' in refused.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"username=a&username=b", 422),
        (b"&".join(b"a%d=1" % number for number in range(21)), 400),
        (b"username=%ff", 400),
        (b"username=" + b"a" * 70_000, 400),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(app: PagesApp, body: bytes, status: int) -> None:
    with app.browser() as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = client.post("/console/sign-in", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)


def _change_sessions(app: PagesApp, **values: Any) -> None:
    with app.database.writing() as work:
        work._session.query(Session).update(values)
        work.commit()


def _change_users(app: PagesApp, **values: Any) -> None:
    with app.database.writing() as work:
        work._session.query(User).update(values)
        work.commit()


@pytest.mark.parametrize("where", CONSOLE_PAGES)
def test_staff_see_on_every_page_that_mail_has_stopped_and_why(
    app: PagesApp, lead_id: int, where: str
) -> None:
    where = where.format(lead_id)
    with app.signed_in() as client:

        def nobody_delivers() -> bool:
            # The service delivers itself, and may say so between the two.
            _forget_workers(app)
            return "No delivery worker is alive" in client.get(where).text

        wait_until(nobody_delivers)
        beat(app, outage="The mail server cannot be used: banner: <b>554 no</b>")
        page = client.get(where).text
        assert "Mail has stopped." in page
        assert "&lt;b&gt;554 no&lt;/b&gt;" in page
        assert '<a href="/console/mails">Look at the mails</a>' in page
        assert page.index('<main class="container') < page.index("Mail has stopped.")
        assert page.index("Mail has stopped.") < page.index("<h1>")
        beat(app, outage=None)
        assert "Mail has stopped." not in client.get(where).text


def _forget_workers(app: PagesApp) -> None:
    with app.database.writing() as work:
        work._session.query(WorkerHeartbeat).delete()
        work.commit()


def beat(app: PagesApp, outage: str | None) -> None:
    with app.database.writing() as work:
        row = WorkerHeartbeat(id=WORKER, seen_at=utcnow(), failures_in_a_row=0, outage=outage)
        work.workers.beat(row)
        work.commit()
