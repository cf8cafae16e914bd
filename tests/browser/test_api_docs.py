"""The viewers of the API's description, in a browser that notices every complaint."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests here: none depends on what is stored."""
    with Service(tmp_path_factory.mktemp("service"), ADMIN_PASSWORD=PASSWORD) as running:
        yield running


def test_swagger_shows_the_api_and_signs_in(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs", viewport={"width": 1200, "height": 1000})
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input[type=text]").first.fill("admin")
    dialog.locator("input[type=password]").first.fill(PASSWORD)
    dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(dialog.get_by_role("button", name="Remove authorization")).to_be_visible()
    dialog.locator(".close-modal").click()
    operation = page.locator(".opblock-get").filter(has_text="/api/v1/users/me")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_have_text(re.compile("200"))
    expect(answer).to_contain_text('"username": "admin"')


def test_redoc_shows_and_searches_the_api(open_page: Callable[..., Page]) -> None:
    page = open_page("/redoc", viewport={"width": 1200, "height": 1000})
    expect(page.get_by_role("heading", name="Submit the form")).to_be_visible()
    page.get_by_placeholder("Search...").press_sequentially("export")
    expect(page.locator("[role=search] [role=menuitem]").first).to_contain_text("Export leads")
