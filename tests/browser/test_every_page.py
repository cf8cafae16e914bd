"""What holds on every page: axe finds nothing, nothing scrolls sideways, scripts are optional."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.routing import BaseRoute

from notion_backend.app import build_app
from notion_backend.application.assembly import lay_foundations
from notion_backend.core.config import Settings
from tests.browser.every_page import NOT_PAGES, PAGES, Shown
from tests.browser.sample import PASSWORD, Sample, store_sample
from tests.servers.service import Service
from tests.service.client import SETTINGS

pytestmark = pytest.mark.needs("chromium")

AXE = (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text("utf-8")
LARGEST_PAGE = 150_000
"""Bytes over the wire with nothing kept from before, scripts and styles included."""
_CONTROL = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
_CONTROLS = f"""() => {{
  const all = [...document.querySelectorAll("{_CONTROL}")].filter(
    (each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0
  );
  all.forEach((each, number) => {{ each.dataset.number = number; }});
  return all.length;
}}"""
_FOCUSED = """() => {
  const focused = document.activeElement;
  if (!focused || focused.dataset.number === undefined) return null;
  const style = getComputedStyle(focused);
  return {
    number: focused.dataset.number,
    html: focused.outerHTML.slice(0, 200),
    isOutlined:
      (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) ||
      style.boxShadow !== "none",
  };
}"""
every_page = pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD}
    with Service(tmp_path_factory.mktemp("service"), **settings) as service:
        yield store_sample(service)


@pytest.fixture(scope="module")
def windows(chromium: Browser, sample: Sample) -> Iterator[dict[bool, BrowserContext]]:
    """Where strangers and where the administrator look, for all pages: a window is dear."""
    # Without motion, or colours would still be on their way when they are looked at.
    options: dict[str, Any] = {
        "base_url": sample.base_url,
        "viewport": {"width": 1280, "height": 800},
        "reduced_motion": "reduce",
    }
    opened = {signed_in: chromium.new_context(**options) for signed_in in (False, True)}
    sample.sign_in(opened[True])
    yield opened
    for context in opened.values():
        context.close()


def test_every_page_is_in_the_list(tmp_path: Path, sqlite_url: str) -> None:
    foundations = lay_foundations(Settings(data_dir=tmp_path, database_url=sqlite_url))
    app = build_app(foundations)
    routes = {
        route.path
        for route in _routes(app.routes)
        if "GET" in route.methods and not route.include_in_schema
    }
    foundations.close()
    listed = {shown.path.partition("?")[0] for shown in PAGES} | set(NOT_PAGES)
    unlisted = {
        route
        for route in routes
        if not any(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", route), path) for path in listed)
    }
    assert unlisted == set()


@every_page
def test_a_page_keeps_what_every_page_promises(
    windows: dict[bool, BrowserContext], sample: Sample, shown: Shown
) -> None:
    """One visit for all of it: a browser is the dearest part of these tests."""
    sizes: list[float] = []
    with windows[shown.signed_in].new_page() as page:
        page.set_default_timeout(15_000)
        protocol = page.context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
        protocol.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )
        shown.show(page, sample)
        page.wait_for_timeout(100)
        assert 1_000 < sum(sizes) < LARGEST_PAGE
        page.evaluate(AXE)
        assert _found_by_axe(page) == []
        assert _sideways(page, 1280) == 0
        assert _unseen_controls(page) == []
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 360, "height": 640})
        assert _found_by_axe(page) == []
        assert _sideways(page, 360) == 0


def test_every_page_is_there_without_scripts(chromium: Browser, sample: Sample) -> None:
    for signed_in in (False, True):
        context = chromium.new_context(base_url=sample.base_url, java_script_enabled=False)
        if signed_in:
            sample.sign_in(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        for shown in PAGES:
            if shown.signed_in is signed_in and shown.bring is None:
                shown.show(page, sample)
                expect(page.get_by_role("heading", level=1)).to_be_visible()
        context.close()


def _found_by_axe(page: Page) -> list[tuple[str, list[tuple[str, str]]]]:
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (each["id"], [(node["html"][:200], node["failureSummary"]) for node in each["nodes"]])
        for each in found["violations"]
    ]


def _sideways(page: Page, width: int) -> int:
    """By how many pixels the page is wider than its window."""
    return max(0, int(page.evaluate("document.documentElement.scrollWidth")) - width)


def _unseen_controls(page: Page) -> list[str]:
    """Controls that the keyboard does not reach, or that do not show that they have the focus."""
    page.evaluate("document.activeElement.blur()")
    wanted = page.evaluate(_CONTROLS)
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUSED)
        if found is None or found["number"] in reached:
            continue
        if not found["isOutlined"]:
            return [found["html"]]
        reached.add(found["number"])
        if len(reached) == wanted:
            break
    missing = set(map(str, range(wanted))) - reached
    return [
        page.locator(f"[data-number='{number}']").evaluate("e => e.outerHTML") for number in missing
    ]


def _routes(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif isinstance(router := getattr(route, "original_router", None), APIRouter):
            yield from _routes(router.routes)
