"""What small screens and fingers get in the place of what fits a large one."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample import PASSWORD, Sample, store_sample
from tests.servers.service import Service
from tests.service.client import SETTINGS

pytestmark = pytest.mark.needs("chromium")

NARROW = {"viewport": {"width": 360, "height": 640}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD}
    with Service(tmp_path_factory.mktemp("service"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def sample(service: Service) -> Sample:
    return store_sample(service)


def test_the_list_of_leads_is_sorted_on_a_narrow_screen_too(
    open_page: Callable[..., Page], sample: Sample
) -> None:
    page = open_page("/console/sign-in", **NARROW)
    sample.sign_in(page.context)
    page.goto("/console")
    header = page.locator("table.leads thead")
    expect(header.get_by_role("link")).to_have_text(["Name", "E-mail address", "Received"])
    expect(header.get_by_text("State")).to_be_hidden()
    for link in header.get_by_role("link").all():
        box = link.bounding_box()
        assert box
        assert box["height"] >= 24
    header.get_by_role("link", name="Name").click()
    expect(page).to_have_url(re.compile("sort=last_name"))
    expect(header.locator("[aria-sort=ascending]")).to_contain_text("Name")
    expect(page.locator("tbody th").first).to_contain_text("D'Arcy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_values_of_a_user_are_named_where_no_header_names_them(
    open_page: Callable[..., Page], sample: Sample
) -> None:
    page = open_page("/console/sign-in", **NARROW)
    sample.sign_in(page.context)
    page.goto("/console/users")
    row = page.get_by_role("row").filter(has_text="grace@example.com")
    for name in ("E-mail address:", "Role:", "Last sign-in:"):
        expect(row.get_by_text(name)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    for name in ("E-mail address:", "Role:", "Last sign-in:"):
        expect(row.get_by_text(name)).to_be_hidden()


@pytest.mark.parametrize("is_mobile", [True, False])
def test_dropping_a_file_is_offered_where_there_is_a_mouse(
    open_page: Callable[..., Page], is_mobile: bool
) -> None:
    page = open_page("/", **NARROW, is_mobile=is_mobile, has_touch=is_mobile)
    expect(page.locator(".drop-hint")).to_be_visible(visible=not is_mobile)
    expect(page.get_by_label("Résumé")).to_be_visible()
