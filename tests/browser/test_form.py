"""The public form, as prospects meet it."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service
from tests.submitting import RESUMES

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests here: none depends on what is stored."""
    with Service(tmp_path_factory.mktemp("service"), ADMIN_PASSWORD=PASSWORD) as running:
        yield running


@pytest.mark.parametrize("with_scripts", [False, True])
def test_a_prospect_sends_the_form(open_page: Callable[..., Page], with_scripts: bool) -> None:
    page = open_page("/", java_script_enabled=with_scripts)
    _fill(page, email="zoe@example.com")
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(re.compile(r"/thanks/[0-9A-Z]{26}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    expect(page.locator(".reference")).to_have_text(page.url.rsplit("/", 1)[1])


def test_a_mistake_comes_back_on_the_same_page(open_page: Callable[..., Page]) -> None:
    page = open_page("/", java_script_enabled=False, viewport={"width": 360, "height": 640})
    _fill(page, email="zoe@nowhere")
    page.get_by_role("button", name="Send").click()
    email = page.get_by_label("E-mail address")
    expect(email).to_have_value("zoe@nowhere")
    expect(email).to_have_accessible_description(re.compile("Write one e-mail address"))
    expect(page.get_by_label("First name")).to_have_value("Zoë")
    expect(page.get_by_label("Résumé")).to_have_value("")
    expect(page.get_by_role("alert")).to_contain_text("Write one e-mail address")
    email.fill("zoe@example.com")
    page.get_by_label("Résumé").set_input_files(RESUMES / "resume.pdf")
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(re.compile("/thanks/"))


def test_the_form_fits_a_narrow_screen_and_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/", viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for label in ("First name", "Last name", "E-mail address", "Résumé"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()


def _fill(page: Page, email: str) -> None:
    page.get_by_label("First name").fill("Zoë")
    page.get_by_label("Last name").fill("Ångström")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Résumé").set_input_files(RESUMES / "resume.pdf")
