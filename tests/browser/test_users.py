"""Users and one's own account, from the invitation to the end of a session."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service
from tests.service.client import captured_mails
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("chromium")

NEW_PASSWORD = "ten green frogs sing"
HOW: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "narrow, without scripts": {
        "viewport": {"width": 360, "height": 640},
        "java_script_enabled": False,
    },
}


@pytest.mark.parametrize("how", HOW)
def test_somebody_is_invited_signs_in_and_is_disabled(
    service: Service, open_page: Callable[..., Page], how: str
) -> None:
    admin = _signed_in(open_page, "admin", PASSWORD, **HOW[how])
    admin.get_by_role("link", name="Users").click()
    admin.get_by_label("User name").fill("Grace")
    admin.get_by_label("E-mail address").fill("admin@localhost.localdomain")
    admin.get_by_role("button", name="Invite").click()
    email = admin.get_by_label("E-mail address")
    expect(email).to_have_accessible_description(re.compile("already|taken|another"))
    expect(admin.get_by_label("User name")).to_have_value("Grace")
    email.fill("grace@example.com")
    admin.get_by_role("button", name="Invite").click()
    expect(admin.get_by_role("status")).to_contain_text("Invited.")

    grace = open_page(_link(service), **HOW[how])
    if not HOW[how].get("java_script_enabled", True):
        grace.get_by_label("Code").fill(_link(service).partition("#token=")[2])
    grace.get_by_label("New password").fill(NEW_PASSWORD)
    grace.get_by_role("button", name="Save the password").click()
    _sign_in(grace, "grace", NEW_PASSWORD)
    expect(grace.get_by_role("heading", level=1)).to_have_text("Leads")
    expect(grace.get_by_role("link", name="Users")).to_have_count(0)

    admin.get_by_role("button", name="Disable").click()
    expect(admin.get_by_role("status")).to_contain_text("Disabled, and signed out everywhere.")
    grace.goto("/console/dashboard")
    expect(grace.get_by_role("heading", level=1)).to_have_text("Sign in")
    admin.get_by_role("button", name="Enable").click()
    _sign_in(grace, "grace", NEW_PASSWORD)
    expect(grace.get_by_role("heading", level=1)).to_have_text("Dashboard")


@pytest.mark.parametrize("how", HOW)
def test_one_chooses_a_language_and_ends_other_sessions(
    open_page: Callable[..., Page], how: str
) -> None:
    here = _signed_in(open_page, "admin", PASSWORD, **HOW[how])
    there = _signed_in(open_page, "admin", PASSWORD, **HOW[how])
    here.get_by_role("link", name="admin").click()
    expect(here.get_by_text("(here)")).to_have_count(1)
    here.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.get_by_role("status")).to_contain_text("Signed out everywhere else.")
    there.goto("/console/mails")
    expect(there.get_by_role("heading", level=1)).to_have_text("Sign in")
    here.get_by_label("Language of the console").select_option("Deutsch")
    here.get_by_role("button", name="Save").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Ihr Konto")
    here.get_by_role("link", name="Anfragen").click()
    expect(here.get_by_role("link", name="Kontaktiert")).to_be_visible()


def test_an_open_list_leaves_by_itself_when_its_session_is_ended(
    open_page: Callable[..., Page],
) -> None:
    here, there = (_signed_in(open_page, "admin", PASSWORD) for _ in range(2))
    expect(there.get_by_role("heading", level=1)).to_have_text("Leads")
    here.get_by_role("link", name="admin").click()
    here.get_by_role("button", name="Sign out everywhere else").click()
    expect(there.get_by_role("heading", level=1)).to_have_text("Sign in", timeout=10_000)


def test_the_last_administrator_is_told_why_they_stay(open_page: Callable[..., Page]) -> None:
    page = _signed_in(open_page, "admin", PASSWORD)
    page.get_by_role("link", name="Users").click()
    page.get_by_role("rowheader").get_by_role("link", name="admin").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("alert")).to_contain_text("This is the last administrator")


def test_the_pictures_of_the_dashboard_have_their_numbers_in_a_table(
    open_page: Callable[..., Page],
) -> None:
    page = _signed_in(open_page, "admin", PASSWORD, color_scheme="dark")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("img", name="Leads per day")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("row")).to_have_count(31)


def _signed_in(
    open_page: Callable[..., Page], username: str, password: str, **options: Any
) -> Page:
    page = open_page("/console", **options)
    _sign_in(page, username, password)
    return page


def _sign_in(page: Page, username: str, password: str) -> None:
    page.get_by_label("User name or e-mail address").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _link(service: Service) -> str:
    wait_until(lambda: bool(captured_mails(service)))
    text = captured_mails(service)[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.search(r"/console/password#token=\S+", text)
    assert found
    return found[0]
