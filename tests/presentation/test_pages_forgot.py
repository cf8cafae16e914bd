"""The page for a forgotten password: what it stores, and what it never tells."""

from pathlib import Path

import pytest

from notion_backend.application.accounts.passwords import PasswordService
from notion_backend.core.enums import DeliveryKind
from notion_backend.core.errors import Unavailable
from notion_backend.data.models import Delivery
from tests.presentation.pages_app import HTML, PagesApp, pages_app

FORGOT = "/console/forgot"
ON_ITS_WAY = "If this address belongs to a user, a mail with a link is on its way."


def test_the_page_to_sign_in_leads_to_it_and_it_leads_back(app: PagesApp) -> None:
    with app.browser() as client:
        link = f'<a href="{FORGOT}">Forgot your password?</a>'
        assert link in client.get("/console/sign-in").text
        page = client.get(FORGOT)
        assert page.status_code == 200
        assert '<a href="/console/sign-in">Sign in</a>' in page.text
        assert ON_ITS_WAY not in page.text
        assert "<script" not in page.text


@pytest.mark.parametrize("email", ["admin@example.com", "nobody@example.com", " Admin@Example.com"])
def test_every_address_is_answered_alike_and_gets_a_mail_in_the_queue(
    app: PagesApp, email: str
) -> None:
    with app.browser() as client:
        answer = client.post(FORGOT, data={"email": email})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{FORGOT}?sent=yes")
        assert answer.text == ""
        assert "set-cookie" not in answer.headers
        page = client.get(answer.headers["location"])
        assert f'role="status">{ON_ITS_WAY}<' in page.text
        assert "example.com" not in page.text
    (mail,) = _mails(app)
    assert mail.kind == DeliveryKind.PASSWORD_RESET
    assert mail.recipient.casefold() == email.strip().casefold()


@pytest.mark.parametrize("email", ["", "nowhere", 'a"<b>@', "a@b.example\r\nBcc: c@d.example"])
def test_text_that_is_no_address_comes_back_beside_its_field(app: PagesApp, email: str) -> None:
    with app.browser() as client:
        page = client.post(FORGOT, data={"email": email})
        assert (page.status_code, page.headers["content-type"]) == (422, HTML)
        assert 'id="email-mistake"' in page.text
        assert "<b>" not in page.text
        if email == "nowhere":
            assert 'value="nowhere"' in page.text
    assert _mails(app) == []


def test_who_asks_too_often_is_told_when_to_come_back_on_the_same_page(
    tmp_path: Path, sqlite_url: str
) -> None:
    with pages_app(tmp_path, sqlite_url, login_rate_limit="1/hour") as app, app.browser() as client:
        form = {"email": "admin@example.com"}
        assert client.post(FORGOT, data=form).status_code == 303
        page = client.post(FORGOT, data=form)
        assert (page.status_code, page.headers["content-type"]) == (429, HTML)
        assert int(page.headers["retry-after"]) > 3000
        assert 'value="admin@example.com"' in page.text
        assert len(_mails(app)) == 1


def test_the_tries_count_together_with_those_to_sign_in(tmp_path: Path, sqlite_url: str) -> None:
    with pages_app(tmp_path, sqlite_url, login_rate_limit="1/hour") as app, app.browser() as client:
        form = {"username": "admin", "password": "wrong"}
        assert client.post("/console/sign-in", data=form).status_code == 401
        assert client.post(FORGOT, data={"email": "admin@example.com"}).status_code == 429


def test_what_was_typed_is_kept_while_nothing_can_be_stored(
    app: PagesApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_self: PasswordService, _email: str) -> None:
        raise Unavailable("The database is away; try again in a moment.")

    monkeypatch.setattr(PasswordService, "request_reset", away)
    with app.browser() as client:
        page = client.post(FORGOT, data={"email": "admin@example.com"})
    assert (page.status_code, page.headers["content-type"]) == (503, HTML)
    assert int(page.headers["retry-after"]) >= 1
    assert 'value="admin@example.com"' in page.text


def test_no_text_of_the_address_stands_on_the_page(app: PagesApp) -> None:
    with app.browser() as client:
        page = client.get(FORGOT, params={"sent": "Call 555 0100", "email": "x@example.com"}).text
        assert ON_ITS_WAY in page
        assert "555" not in page
        assert "x@example.com" not in page


def _mails(app: PagesApp) -> list[Delivery]:
    with app.database.reading() as work:
        return list(work._session.query(Delivery))
