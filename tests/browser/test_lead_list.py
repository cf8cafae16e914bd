"""The console's list of leads: searched while typing, moved through by keys, and never stale."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.sample import PASSWORD, submit
from tests.servers.service import Service
from tests.service.client import SETTINGS

pytestmark = pytest.mark.needs("chromium")

LIST = re.compile(r"/console\?")
NARROW = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD}
    with Service(tmp_path_factory.mktemp("service"), **settings) as running:
        for first, last in (("Ada", "Okafor"), ("Zoë", "Ångström"), ("Miguel", "Fernández")):
            send(running, first, last)
        yield running


@pytest.fixture
def open_list(open_page: Callable[..., Page]) -> Callable[..., Page]:
    def open_it(path: str = "/console", **options: object) -> Page:
        page = open_page(path, **options)
        page.get_by_label("User name or e-mail address").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
        return page

    return open_it


@pytest.mark.parametrize("viewport", [NARROW, {"width": 1280, "height": 800}])
def test_a_search_shows_what_is_found_while_it_is_typed(
    open_list: Callable[..., Page], viewport: dict[str, int]
) -> None:
    page = open_list(viewport=viewport)
    page.get_by_role("searchbox").press_sequentially("ÅNGS")
    expect(names(page)).to_have_text(["Zoë Ångström"])
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page).to_have_url(re.compile(r"q=%C3%85NGS"))
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("No lead matches.")).to_be_visible()
    page.get_by_role("link", name="Show all leads").click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_what_was_typed_before_the_scripts_had_come_is_searched_for(
    open_list: Callable[..., Page],
) -> None:
    page = open_list()
    held: list[Route] = []
    page.route("**/htmx.min.js*", _hold(held))
    page.goto("/console", wait_until="commit")
    page.get_by_role("searchbox").fill("ångs")
    page.wait_for_timeout(500)
    expect(names(page)).not_to_have_count(1)
    held[-1].continue_()
    expect(names(page)).to_have_text(["Zoë Ångström"])


def test_without_scripts_a_button_searches(open_list: Callable[..., Page]) -> None:
    page = open_list(java_script_enabled=False)
    page.get_by_role("searchbox").fill("ångs")
    page.get_by_role("button", name="Show").click()
    expect(names(page)).to_have_text(["Zoë Ångström"])
    page.get_by_role("link", name="Reached out").click()
    expect(page.get_by_text("No lead matches.")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(names(page)).to_have_text(["Zoë Ångström"])
    expect(page.get_by_text("arrow keys")).to_be_hidden()


def test_a_column_orders_the_list(open_list: Callable[..., Page]) -> None:
    page = open_list()
    page.get_by_role("link", name="Name", exact=True).click()
    expect(names(page).first).to_have_text("Miguel Fernández")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "ascending"
    )


def test_keys_move_through_the_list_and_letters_do_nothing_elsewhere(
    open_list: Callable[..., Page],
) -> None:
    page = open_list("/console?q=example&sort=created_at")
    links = page.locator("tbody th a")
    search = page.get_by_role("searchbox")
    expect(page.get_by_text("arrow keys")).to_be_visible()
    search.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(links.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links.last).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Home")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    search.press_sequentially("/jk")
    expect(search).to_have_value("/jkexample")
    search.fill("ada okafor")
    expect(names(page)).to_have_count(0)
    search.fill("okafor")
    expect(names(page)).to_have_text(["Ada Okafor"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Okafor")


def test_a_new_lead_appears_by_itself_and_takes_no_focus(
    service: Service, open_list: Callable[..., Page]
) -> None:
    page = open_list("/console?q=live")
    expect(page.get_by_text("No lead matches.")).to_be_visible()
    send(service, "First", "Live")
    expect(names(page)).to_have_text(["First Live"], timeout=10_000)
    expect(page.get_by_role("status").filter(has_text="1 new lead")).to_be_visible()
    page.locator("tbody th a").focus()
    send(service, "Second", "Live")
    expect(names(page)).to_have_text(["Second Live", "First Live"], timeout=10_000)
    expect(page.get_by_role("link", name="First Live")).to_be_focused()


def test_what_a_search_has_found_is_told(open_list: Callable[..., Page]) -> None:
    page = open_list()
    told = page.locator("#told")
    expect(told).to_have_role("status")
    for text, sentence in {
        "okafor": "1 lead is shown.",
        "a": "leads are shown.",
        "nobody": "No lead was found.",
    }.items():
        page.get_by_role("searchbox").fill(text)
        expect(told).to_contain_text(sentence)


def test_a_lead_leads_back_to_the_list_as_it_was_left(open_list: Callable[..., Page]) -> None:
    page = open_list("/console?state=PENDING&sort=last_name")
    page.get_by_role("searchbox").fill("okafor")
    expect(names(page)).to_have_text(["Ada Okafor"])
    page.goto(f"{page.url}&done=erased")
    expect(page.locator(".message[role=status]")).to_have_count(1)
    page.get_by_role("link", name="Ada Okafor").click()
    page.get_by_role("link", name="All leads").click()
    expect(page.locator(".message[role=status]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?state=PENDING&sort=last_name&q=okafor$"))


def test_moments_are_shown_in_the_zone_of_who_reads_them(open_list: Callable[..., Page]) -> None:
    page = open_list(timezone_id="Asia/Kolkata", locale="en-GB")
    moment = page.locator("tbody time").first
    expect(moment).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d GMT\+5:30$"))
    expect(moment).to_have_attribute("title", re.compile(r"UTC$"))
    page.get_by_role("searchbox").fill("okafor")
    expect(names(page)).to_have_count(1)
    expect(moment).to_have_text(re.compile(r"GMT\+5:30$"))


def test_a_refresh_that_fails_leaves_the_list_as_it_is(
    service: Service, open_list: Callable[..., Page]
) -> None:
    page = open_list("/console?q=late")
    refusal = {"status": 503, "content_type": "text/html", "body": "<h1>Try again later</h1>"}
    page.route(LIST, lambda route: route.fulfill(**refusal))
    send(service, "Too", "Late")
    expect(page.get_by_text("The list could not be brought up to date.")).to_be_visible()
    expect(page.get_by_text("No lead matches.")).to_be_visible()
    expect(page.get_by_text("Try again later")).to_have_count(0)
    page.unroute(LIST)
    send(service, "Still", "Late")
    expect(names(page)).to_have_text(["Still Late", "Too Late"])
    expect(page.get_by_text("The list could not be brought up to date.")).to_have_count(0)


def test_what_came_before_the_list_could_listen_is_shown(
    service: Service, open_list: Callable[..., Page]
) -> None:
    page = open_list("/console?q=unheard")
    held: list[Route] = []
    page.route("**/console/live", _hold(held))
    page.reload()
    send(service, "Al", "Unheard")
    page.wait_for_timeout(2500)
    expect(names(page)).to_have_count(0)
    held[-1].continue_()
    expect(names(page)).to_have_text(["Al Unheard"])


def test_a_list_whose_session_has_ended_goes_to_the_sign_in_page(
    service: Service, open_list: Callable[..., Page]
) -> None:
    page = open_list()
    page.context.clear_cookies()
    page.get_by_role("searchbox").fill("ada")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("#found")).to_have_count(0)


def test_the_list_is_taken_away_as_a_file(open_list: Callable[..., Page]) -> None:
    page = open_list("/console?q=okafor")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert ("Okafor" in text, "Fernández" in text) == (True, False)


def _hold(routes: list[Route]) -> Callable[[Route], None]:
    def hold(route: Route) -> None:
        routes.append(route)

    return hold


def names(page: Page) -> Locator:
    return page.locator("tbody th bdi")


def send(service: Service, first: str, last: str) -> None:
    with httpx.Client(base_url=service.base_url, trust_env=False) as client:
        submit(client, first, last, f"{first.lower()}@example.com".replace("ë", "e"))
