"""The console, as staff work with it."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service
from tests.submitting import RESUMES
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize("width", [360, 1200])
def test_a_lead_is_read_and_marked_as_reached_out(
    service: Service, open_page: Callable[..., Page], width: int
) -> None:
    name = "<b>Zoë</b> " + "x" * 100
    httpx.post(
        f"{service.base_url}/api/v1/leads",
        data={"first_name": name, "last_name": "Ångström", "email": "zoe@example.com"},
        files={"resume": ("Lebenslauf.pdf", (RESUMES / "resume.pdf").read_bytes())},
        trust_env=False,
    ).raise_for_status()
    page = open_page("/console", viewport={"width": width, "height": 800})
    _sign_in(page, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    assert _fits(page, width)
    page.get_by_role("link", name=f"{name} Ångström").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} Ångström")
    assert _fits(page, width)
    with page.expect_download() as download:
        page.get_by_role("link", name="Lebenslauf.pdf").click()
    assert download.value.suggested_filename == "Lebenslauf.pdf"
    assert download.value.path().read_bytes() == (RESUMES / "resume.pdf").read_bytes()
    page.get_by_role("button", name="Mark as reached out").click()
    expect(page.get_by_text(re.compile("UTC by admin"))).to_be_visible()
    page.get_by_label("Why is it pending again?").fill("Wrong person")
    page.get_by_role("button", name="Back to pending").click()
    expect(page.get_by_text("Wrong person")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/console")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_password_link_keeps_its_token_to_itself(
    service: Service, open_page: Callable[..., Page]
) -> None:
    link = _password_link(service)
    token = link.partition("#token=")[2]
    page = open_page(link)
    expect(page.get_by_label("Code")).to_be_hidden()
    assert page.url.endswith("/console/password")
    page.get_by_label("New password").fill("ten green frogs sing")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is changed")
    _sign_in(page, "ten green frogs sing")
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    assert token not in service.log


def test_a_password_link_works_without_scripts(
    service: Service, open_page: Callable[..., Page]
) -> None:
    link = _password_link(service)
    page = open_page(link, java_script_enabled=False)
    page.get_by_label("Code").fill(link.partition("#token=")[2])
    page.get_by_label("New password").fill("ten green frogs sing")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is changed")


def _sign_in(page: Page, password: str) -> None:
    page.get_by_label("User name or e-mail address").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def _password_link(service: Service) -> str:
    httpx.post(
        f"{service.base_url}/api/v1/auth/password-reset",
        json={"email": "admin@localhost.localdomain"},
        trust_env=False,
    ).raise_for_status()
    folder: Path = service.data_dir / "mail"
    (file,) = wait_until(lambda: list(folder.glob("*.eml")))
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    assert body
    found = re.search(r"http\S+#token=\S+", body.get_content())
    assert found
    return found[0]
