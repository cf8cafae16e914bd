"""Users as administrators manage them on pages, and one's own account."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, Role
from notion_backend.data.models import Delivery, User
from tests.accounts import quick_hasher
from tests.presentation.pages_app import PASSWORD, PagesApp, hidden
from tests.rows import all_events

USERS = "/console/users"
ACCOUNT = "/console/account"


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


def test_an_administrator_invites_somebody(app: PagesApp, client: httpx.Client) -> None:
    answer = _post(client, USERS, username="Grace", email="grace@example.com", role="staff")
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert "The mail with the link is on its way." in page
    assert "not chosen yet" in page
    grace = _user(app, "grace")
    assert (grace.email, grace.role) == ("grace@example.com", Role.STAFF)
    assert _mails(app) == [(DeliveryKind.INVITATION, "grace@example.com")]
    assert "<mark>invited</mark>" in client.get(USERS).text


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"username": ""}, "username", 422),
        ({"username": "a@b"}, "username", 422),
        ({"email": "nowhere"}, "email", 422),
        ({"role": "king"}, "role", 422),
        ({"username": "admin"}, "username", 409),
        ({"email": "admin@example.com"}, "email", 409),
    ],
)
def test_a_mistake_stands_beside_its_field_and_what_was_typed_is_kept(
    app: PagesApp, client: httpx.Client, fields: dict[str, str], field: str, status: int
) -> None:
    sent = {"username": "grace", "email": "grace@example.com", "role": "admin"} | fields
    answer = _post(client, USERS, **sent)
    assert answer.status_code == status
    assert f'id="{field}-mistake"' in answer.text
    for name in {"username", "email"} - {field}:
        assert f'value="{sent[name]}"' in answer.text
    assert _mails(app) == []


def test_an_administrator_changes_disables_and_enables_somebody(
    app: PagesApp, client: httpx.Client
) -> None:
    user_id = _add(app, "grace")
    one = f"{USERS}/{user_id}"
    with app.signed_in("grace") as grace:
        assert grace.get("/console").status_code == 200
        answer = _post(client, one, path=one, email="g@example.com", role="admin")
        assert (answer.status_code, _user(app, "grace").email) == (303, "g@example.com")
        assert grace.get(USERS).status_code == 200
        _post(client, f"{one}/disabled", path=one, disabled="true")
        assert grace.get("/console").status_code == 303
    assert _user(app, "grace").disabled
    _post(client, f"{one}/disabled", path=one, disabled="false")
    assert not _user(app, "grace").disabled
    actions = [event.action for event in all_events(app.database)]
    for action in ("email_changed", "role_changed", "disabled", "enabled"):
        assert f"user.{action}" in actions


def test_a_page_that_is_out_of_date_changes_only_what_was_changed_on_it(
    app: PagesApp, client: httpx.Client
) -> None:
    _add(app, "grace")
    one = f"{USERS}/{_user(app, 'grace').id}"
    page = client.get(one)
    shown = {name: hidden(page, name) for name in ("shown_email", "shown_role")}
    assert shown == {"shown_email": "grace@example.com", "shown_role": "staff"}
    _post(client, one, path=one, email="grace@example.com", role="admin", **shown)
    assert _user(app, "grace").role is Role.ADMIN
    _post(client, one, path=one, email="g@example.com", role="staff", **shown)
    grace = _user(app, "grace")
    assert (grace.email, grace.role) == ("g@example.com", Role.ADMIN)
    answer = _post(client, one, path=one, email="nowhere", role="staff", **shown)
    assert {name: hidden(answer, name) for name in shown} == shown


def test_nobody_is_enabled_by_a_form_that_does_not_say_so(
    app: PagesApp, client: httpx.Client
) -> None:
    one = f"{USERS}/{_add(app, 'grace')}"
    _post(client, f"{one}/disabled", path=one, disabled="true")
    for fields in ({}, {"disabled": "yes"}):
        assert _post(client, f"{one}/disabled", path=one, **fields).status_code == 422
    assert _user(app, "grace").disabled


def test_the_last_administrator_is_told_why_they_stay(app: PagesApp, client: httpx.Client) -> None:
    one = f"{USERS}/{_user(app, 'admin').id}"
    for path, fields in (
        (f"{one}/disabled", {"disabled": "true"}),
        (one, {"email": "admin@example.com", "role": "staff"}),
    ):
        answer = _post(client, path, path=one, **fields)
        assert answer.status_code == 409
        assert "<title>Please check: admin · " in answer.text
        assert "This is the last administrator who can sign in" in answer.text
    assert "This is you." in client.get(one).text


def test_an_administrator_sends_a_link_and_signs_somebody_out(
    app: PagesApp, client: httpx.Client
) -> None:
    one = f"{USERS}/{_add(app, 'grace')}"
    _post(client, f"{one}/password-link", path=one)
    assert _mails(app) == [(DeliveryKind.PASSWORD_RESET, "grace@example.com")]
    with app.signed_in("grace") as grace:
        _post(client, f"{one}/sessions", path=one)
        assert grace.get("/console").status_code == 303


@pytest.mark.parametrize("path", ["", "/1", "/1/disabled", "/1/password-link", "/1/sessions"])
def test_staff_are_refused_before_anything_is_done(app: PagesApp, path: str) -> None:
    _add(app, "ed")
    with app.signed_in("ed") as staff:
        assert f'href="{USERS}"' not in staff.get("/console").text
        before = (all_events(app.database), _mails(app))
        answer = _post(
            staff,
            USERS + path,
            path=ACCOUNT,
            username="x",
            email="x@example.com",
            role="admin",
            disabled="true",
        )
        assert answer.status_code == 403
        if path in {"", "/1"}:
            assert staff.get(USERS + path).status_code == 403
        assert len(all_events(app.database)) == len(before[0])
        assert _mails(app) == before[1]


@pytest.mark.parametrize("user_id", ["0", "999", "x", "1" * 30, "-1", "%EF%BC%91"])
def test_a_user_that_is_not_there_is_not_found(client: httpx.Client, user_id: str) -> None:
    assert client.get(f"{USERS}/{user_id}").status_code == 404


def test_the_account_shows_who_one_is_and_where_one_is_signed_in(
    app: PagesApp, client: httpx.Client
) -> None:
    with app.signed_in() as other:
        page = client.get(ACCOUNT).text
        assert "admin@example.com" in page
        assert len(re.findall(r"<li>Console", page)) == 2
        assert page.count("(here)") == 1
        assert _post(client, f"{ACCOUNT}/sessions", path=ACCOUNT).status_code == 303
        assert other.get("/console").status_code == 303
    assert client.get("/console").status_code == 200
    assert "Sign out everywhere else" not in client.get(ACCOUNT).text


def test_the_console_speaks_the_language_that_was_chosen(client: httpx.Client) -> None:
    answer = _post(client, f"{ACCOUNT}/language", path=ACCOUNT, language="de")
    cookie = answer.headers["set-cookie"]
    for part in ("language=de", "HttpOnly", "Max-Age=31536000", "Path=/console", "SameSite=lax"):
        assert part in cookie
    assert client.get("/console").headers["content-language"] == "de"
    assert client.get("/").headers["content-language"] == "en"
    _post(client, f"{ACCOUNT}/language", path=ACCOUNT, language="")
    assert client.get("/console").headers["content-language"] == "en"
    refused = _post(client, f"{ACCOUNT}/language", path=ACCOUNT, language="../de")
    assert refused.status_code == 422
    assert "set-cookie" not in refused.headers


def _post(
    client: httpx.Client, address: str, *, path: str = USERS, **fields: str
) -> httpx.Response:
    token = hidden(client.get(path), "csrf_token")
    return client.post(address, data={"csrf_token": token, **fields})


def _add(app: PagesApp, username: str) -> int:
    with app.database.writing() as work:
        user = User(
            username=username,
            email=f"{username}@example.com",
            email_folded=f"{username}@example.com",
            hashed_password=quick_hasher().hash(PASSWORD),
            role=Role.STAFF,
            created_at=utcnow(),
        )
        work.users.add(user)
        work.commit()
        return user.id


def _user(app: PagesApp, username: str) -> User:
    with app.database.reading() as work:
        found = work.users.by_username(username)
    assert found is not None
    return found


def _mails(app: PagesApp) -> list[Any]:
    with app.database.reading() as work:
        rows = work._session.execute(select(Delivery.kind, Delivery.recipient))
        return [tuple(row) for row in rows]
