"""What the page to sign in tells: a session that ended, a try that failed."""

import re

import pytest

from tests.presentation.pages_app import PagesApp, hidden, sign_in

NOTHING_SAVED = "Your session had ended, and nothing was saved. Sign in and do it again."


@pytest.mark.parametrize(
    ("path", "stood_on"),
    [
        ("/console/leads/5/correct", "/console/leads/5"),
        ("/console/leads/5/state", "/console/leads/5"),
        ("/console/leads/5/undo", "/console/leads/5"),
        ("/console/leads/5/erase", "/console/leads/5/erase"),
        ("/console/leads/x/correct", "/console"),
        ("/console/users", "/console/users"),
        ("/console/users/7", "/console/users/7"),
        ("/console/users/7/disabled", "/console/users/7"),
        ("/console/users/7x", "/console/users"),
        ("/console/mails/retry-all", "/console/mails"),
        ("/console/mails/1/retry", "/console/mails"),
        ("/console/account", "/console/account"),
        ("/console/account/language", "/console/account"),
    ],
)
def test_a_form_that_comes_after_the_session_leads_back_to_its_page_with_a_word(
    app: PagesApp, path: str, stood_on: str
) -> None:
    with app.browser() as client:
        client.cookies.set("session", "long over")
        answer = client.post(path, data={"first_name": "Zoe", "csrf_token": "old"})
        assert answer.status_code == 303
        page = client.get(answer.headers["location"])
        assert f'role="status">{NOTHING_SAVED}<' in page.text
        assert hidden(page, "next") == stood_on
        assert sign_in(client, next=hidden(page, "next")).headers["location"] == stood_on


def test_a_page_that_was_only_looked_at_tells_of_nothing_lost(app: PagesApp) -> None:
    with app.browser() as client:
        page = client.get(client.get("/console/account").headers["location"])
        assert 'role="status"' not in page.text


def test_who_signs_out_of_a_session_that_is_over_is_told_nothing(app: PagesApp) -> None:
    with app.browser() as client:
        answer = client.post("/console/sign-out", data={"csrf_token": "old"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


def test_a_script_whose_form_comes_too_late_takes_the_whole_page_to_sign_in(app: PagesApp) -> None:
    with app.browser() as client:
        answer = client.post("/console/leads/5/state", headers={"HX-Request": "true"})
        target = "/console/sign-in?ended=yes&next=/console/leads/5"
        assert answer.headers["hx-redirect"] == target


@pytest.mark.parametrize("marker", ["<b>stolen</b>", "Call 555 0100"])
def test_no_text_of_the_address_stands_on_the_page(app: PagesApp, marker: str) -> None:
    with app.browser() as client:
        page = client.get("/console/sign-in", params={"ended": marker})
        assert re.findall(r'role="status">([^<]*)<', page.text) == [NOTHING_SAVED]
        assert marker not in page.text


def test_a_failure_to_sign_in_is_the_same_page_for_a_name_that_nobody_has(app: PagesApp) -> None:
    with app.browser() as client:
        wrong, unknown = sign_in(client, "admin", "wrong"), sign_in(client, "nobody", "wrong")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.text.replace('value="admin"', "") == unknown.text.replace('value="nobody"', "")


def test_a_failure_to_sign_in_marks_both_fields_with_the_one_message(app: PagesApp) -> None:
    with app.browser() as client:
        page = sign_in(client, password="wrong").text
        assert "<title>Please check: Sign in" in page
        for field in ("username", "password"):
            (tag,) = re.findall(rf'<input id="{field}"[^>]*>', page)
            assert 'aria-invalid="true"' in tag
            assert 'aria-describedby="mistakes"' in tag
        assert "aria-invalid" not in client.get("/console/sign-in").text


def test_the_api_tells_a_failure_to_sign_in_in_its_own_words(app: PagesApp) -> None:
    with app.browser() as client:
        form = {"grant_type": "password", "username": "admin", "password": "wrong"}
        told = client.post("/api/v1/auth/token", data=form).json()
    assert (told["status"], told["code"]) == (401, "invalid_credentials")
    assert told["title"] == "Sign in first"
    assert told["detail"] == "Check the username and the password, or sign in anew."
