"""What holds on every page: axe finds nothing, nothing scrolls sideways, scripts are optional."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, expect
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
LOOK: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark and narrow": {"color_scheme": "dark", "viewport": {"width": 360, "height": 640}},
}
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


@pytest.fixture
def visit(chromium: Browser, sample: Sample) -> Callable[..., Any]:
    @contextmanager
    def visit_one(
        shown: Shown, watch: Callable[[Page], None] = lambda _: None, **options: Any
    ) -> Iterator[Page]:
        context = chromium.new_context(base_url=sample.base_url, **options)
        try:
            if shown.signed_in:
                sample.sign_in(context)
            page = context.new_page()
            page.set_default_timeout(15_000)
            watch(page)
            shown.show(page, sample)
            yield page
        finally:
            context.close()

    return visit_one


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
@pytest.mark.parametrize("look", LOOK)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    visit: Callable[..., Any], shown: Shown, look: str
) -> None:
    with visit(shown, **LOOK[look]) as page:
        width = LOOK[look]["viewport"]["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [
        (each["id"], [(node["html"][:200], node["failureSummary"]) for node in each["nodes"]])
        for each in found["violations"]
    ]
    assert told == []


@every_page
def test_the_page_is_there_without_scripts(visit: Callable[..., Any], shown: Shown) -> None:
    if shown.bring is None:
        with visit(shown, java_script_enabled=False) as page:
            expect(page.get_by_role("heading", level=1)).to_be_visible()


@every_page
def test_every_control_is_reached_by_the_keyboard_and_seen(
    visit: Callable[..., Any], shown: Shown
) -> None:
    with visit(shown, viewport={"width": 1280, "height": 800}) as page:
        page.evaluate("document.activeElement.blur()")
        wanted = page.evaluate(_CONTROLS)
        reached = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            found = page.evaluate(_FOCUSED)
            if found is None or found["number"] in reached:
                continue
            assert found["isOutlined"], found
            reached.add(found["number"])
        assert len(reached) == wanted


@every_page
def test_a_page_is_light(visit: Callable[..., Any], shown: Shown) -> None:
    sizes: list[float] = []

    def watch(page: Page) -> None:
        protocol = page.context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )

    with visit(shown, watch) as page:
        page.wait_for_timeout(500)
    assert 1_000 < sum(sizes) < LARGEST_PAGE


def _routes(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif isinstance(router := getattr(route, "original_router", None), APIRouter):
            yield from _routes(router.routes)
