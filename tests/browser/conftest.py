"""A real browser against the real service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.servers.parts import program_of
from tests.servers.service import Service
from tests.service.client import CHEAP_HASHES

# A page may be slow where the machine is busy; how fast it is, is measured elsewhere.
_PATIENCE = 15_000
expect.set_options(timeout=_PATIENCE)

PASSWORD = "nine brown bears dance"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Its own bars are pages too, drawn for every window, which nobody sees here.
    "--disable-features=WebUIToolbar,InitialWebUI,WebUIReloadButton,TabSearchToolbarButton,SidePanel",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser, closed before tests of other modules come: while it is there, a loop runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program_of("chromium"), args=_ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def service(start_service: Callable[..., Service]) -> Service:
    return start_service(ADMIN_PASSWORD=PASSWORD, **CHEAP_HASHES)


@pytest.fixture
def open_page(chromium: Browser, service: Service) -> Iterator[Callable[..., Page]]:
    """Open a page of the service; options are those of a browser context.

    At the end no page may have complained, or asked another host for anything.
    """
    complaints: list[str] = []
    host = urlsplit(service.base_url).netloc

    def listen(page: Page) -> None:
        def note_message(message: ConsoleMessage) -> None:
            # A page that answers with an error on purpose is no complaint of the page.
            if message.type in {"error", "warning"} and "the server responded" not in message.text:
                complaints.append(message.text)

        def note_request(request: Request) -> None:
            parts = urlsplit(request.url.removeprefix("blob:"))
            if parts.scheme != "data" and parts.netloc != host:
                complaints.append(f"asked for {request.url}")

        page.on("console", note_message)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", note_request)

    with ExitStack() as opened:

        def open_one(path: str, **options: Any) -> Page:
            context = opened.enter_context(
                chromium.new_context(base_url=service.base_url, **options)
            )
            page = context.new_page()
            page.set_default_timeout(_PATIENCE)
            listen(page)
            page.goto(path)
            return page

        yield open_one
    assert complaints == []
