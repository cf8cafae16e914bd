"""One lead in the console: marked, undone, corrected, its mail released, erased."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service
from tests.service.client import CHEAP_HASHES
from tests.submitting import RESUMES
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("chromium")

HOSTILE = "<img src=x onerror=alert(1)> مرحبا " + "🧑\u200d🚀" * 40 + "x" * 100
NARROW = {"viewport": {"width": 360, "height": 640}}
WAYS = [
    pytest.param({}, id="wide"),
    pytest.param(NARROW, id="narrow"),
    pytest.param({"java_script_enabled": False} | NARROW, id="without scripts"),
]


@pytest.fixture
def service(start_service: Callable[..., Service]) -> Service:
    settings = {"ADMIN_PASSWORD": PASSWORD, "PROSPECT_MAIL_LIMIT": "1/hour", **CHEAP_HASHES}
    return start_service(**settings)


@pytest.mark.parametrize("way", WAYS)
def test_a_lead_is_marked_and_that_is_undone(
    service: Service, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    _submit(service, HOSTILE)
    _submit(service, "Ada")
    page = _open_lead(open_page, 1, way)
    _marks(page)
    expect(page.locator(".message[role=status]")).to_contain_text("Marked as reached out.")
    _fits(page)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator(".message[role=status]")).to_have_text("Undone: the lead is pending again.")
    expect(page.get_by_text("set it back to pending")).to_be_visible()
    _marks(page)
    page.get_by_role("link", name="Next pending lead: Ada Ångström").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Ångström")
    _marks(page)
    expect(page.locator(".message[role=status]")).to_contain_text("No lead is pending any more.")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")


@pytest.mark.parametrize("way", WAYS)
def test_a_name_is_corrected_and_a_mistake_is_told(
    service: Service, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    _submit(service, "Zeo")
    page = _open_lead(open_page, 1, way)
    page.get_by_text("Correct a typing error").click()
    page.get_by_label("First name").fill(HOSTILE)
    page.get_by_label("E-mail address").fill("zoe@nowhere")
    page.get_by_role("button", name="Save the details").click()
    email = page.get_by_label("E-mail address")
    expect(email).to_have_accessible_description(re.compile("Write one e-mail address"))
    expect(email).to_have_accessible_description(re.compile("Stored now: zoe@example.com"))
    expect(page.get_by_label("First name")).to_have_value(HOSTILE)
    _fits(page)
    page.get_by_role("alert").get_by_role("link").click()
    expect(email).to_be_focused()
    email.fill("zoe@example.org")
    page.get_by_role("button", name="Save the details").click()
    expect(page.locator(".message[role=status]")).to_have_text("The details are saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{HOSTILE} Ångström")
    expect(page.get_by_text("corrected the details: first name, e-mail address")).to_be_visible()


@pytest.mark.parametrize("way", WAYS)
def test_what_somebody_else_did_meanwhile_is_shown(
    service: Service, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    _submit(service, HOSTILE)
    page = _open_lead(open_page, 1, way)
    other = _open_lead(open_page, 1, {})
    other.get_by_text("Correct a typing error").click()
    other.get_by_label("First name").fill("Zoë")
    other.get_by_role("button", name="Save the details").click()
    expect(other.locator(".message[role=status]")).to_have_text("The details are saved.")
    page.get_by_role("button", name="Mark as reached out").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this lead meanwhile.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoë Ångström")
    _marks(page)
    expect(page.locator(".message[role=status]")).to_contain_text("Marked as reached out.")


@pytest.mark.parametrize("way", WAYS)
def test_a_held_mail_is_released_and_sent(
    service: Service, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    _submit(service, HOSTILE)
    _submit(service, HOSTILE)
    wait_until(lambda: len(_files(service)) == 3)
    page = _open_lead(open_page, 2, way)
    mail = page.get_by_role("article").filter(has_text="Confirmation to the prospect")
    expect(mail).to_contain_text("PROSPECT_MAIL_LIMIT")
    _fits(page)
    mail.get_by_role("button", name="Release to zoe@example.com").click()
    expect(page.locator(".message[role=status]")).to_contain_text("The mail is due now")
    wait_until(lambda: len(_files(service)) == 4)
    wait_until(lambda: page.reload() and mail.get_by_text("Sent", exact=True).is_visible())
    expect(mail.get_by_role("button")).to_have_count(0)
    expect(page.get_by_text("had a mail sent again")).to_be_visible()


@pytest.mark.parametrize("way", WAYS)
def test_an_administrator_erases_a_lead(
    service: Service, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    _submit(service, HOSTILE)
    page = _open_lead(open_page, 1, way)
    page.get_by_role("link", name="Erase this lead").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Erase {HOSTILE} Ångström?")
    _fits(page)
    page.get_by_label("I mean this lead").check()
    page.get_by_role("button", name="Erase the lead").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    expect(
        page.locator(".message[role=status]").filter(has_text="The lead is erased")
    ).to_be_visible()
    expect(page.get_by_text("zoe@example.com")).to_have_count(0)
    page.goto("/console/leads/1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_a_printed_lead_holds_its_facts_and_no_controls(
    service: Service, open_page: Callable[..., Page]
) -> None:
    _submit(service, "Zoë")
    page = _open_lead(open_page, 1, {})
    page.emulate_media(media="print")
    for shown in ("zoe@example.com", "Pending", "resume.pdf", "Notification to staff", "History"):
        expect(page.get_by_text(shown).first).to_be_visible()
    for hidden in ("Sign out", "Mark as reached out", "All leads", "Correct", "Erase this lead"):
        expect(page.get_by_text(hidden).first).to_be_hidden()


def _submit(service: Service, first_name: str) -> None:
    httpx.post(
        f"{service.base_url}/api/v1/leads",
        data={"first_name": first_name, "last_name": "Ångström", "email": "zoe@example.com"},
        files={"resume": ("resume.pdf", (RESUMES / "resume.pdf").read_bytes())},
        trust_env=False,
    ).raise_for_status()


def _open_lead(open_page: Callable[..., Page], lead_id: int, way: dict[str, object]) -> Page:
    page = open_page(f"/console/leads/{lead_id}", **way)
    page.get_by_label("User name or e-mail address").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    _fits(page)
    return page


def _marks(page: Page) -> None:
    page.get_by_role("button", name="Mark as reached out").click()


def _files(service: Service) -> list[object]:
    return list((service.data_dir / "mail").glob("*.eml"))


def _fits(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    size = page.viewport_size
    assert size
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
