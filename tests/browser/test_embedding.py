"""The form in a page of another site, and the work that its script proves."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.servers.service import Service
from tests.service.client import SETTINGS, Client
from tests.submitting import RESUMES

pytestmark = pytest.mark.needs("chromium")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another site: where it is, and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_one(address: str, **options: Any) -> Page:
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()


def _start(start_service: Callable[..., Service], **settings: str) -> Service:
    return start_service(**SETTINGS, FORM_MIN_SECONDS="off", **settings)


@pytest.mark.parametrize("how", ["script", "frame", "frame without scripts"])
def test_a_site_shows_the_form_and_its_thanks(
    start_service: Callable[..., Service],
    site: tuple[str, Path],
    visit: Callable[..., Page],
    how: str,
) -> None:
    origin, folder = site
    service = _start(start_service, EMBED_ORIGINS=origin)
    tag = (
        f'<script src="{service.base_url}/embed.js" data-lang="en" async></script>'
        if how == "script"
        else f'<iframe src="{service.base_url}/" title="Form" width="100%" height="900"></iframe>'
    )
    (folder / "index.html").write_text(f"<!doctype html><h1>Jobs</h1>{tag}<p>Below</p>", "utf-8")
    page = visit(
        f"{origin}/index.html",
        java_script_enabled=how != "frame without scripts",
        viewport={"width": 360, "height": 640},
    )
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("link", name="Deutsch")).to_be_visible()
    _fill(frame)
    if how == "script":
        page.wait_for_function(
            "() => document.querySelector('iframe').getBoundingClientRect().height !== 640"
        )
        before = page.locator("iframe").bounding_box()
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Thank you")
    if how == "script":
        page.wait_for_function(
            "(height) => document.querySelector('iframe').clientHeight < height",
            arg=before["height"],
        )
    lead = Client(service).only_lead()
    assert (lead["first_name"], lead["flags"]) == ("Zoë", [])


def test_a_site_that_is_not_named_shows_nothing(
    start_service: Callable[..., Service], site: tuple[str, Path], visit: Callable[..., Page]
) -> None:
    origin, folder = site
    service = _start(start_service, EMBED_ORIGINS="https://www.example.com")
    (folder / "index.html").write_text(f'<iframe src="{service.base_url}/"></iframe>', "utf-8")
    page = visit(f"{origin}/index.html")
    page.wait_for_timeout(500)
    assert page.frame_locator("iframe").get_by_label("First name").count() == 0


@pytest.mark.parametrize("with_scripts", [True, False])
def test_a_browser_proves_work_and_who_does_not_is_flagged(
    start_service: Callable[..., Service], visit: Callable[..., Page], with_scripts: bool
) -> None:
    service = _start(start_service, FORM_PROOF_OF_WORK="on")
    page = visit(service.base_url, java_script_enabled=with_scripts)
    _fill(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    client = Client(service)
    flags = [flag["code"] for flag in client.only_lead()["flags"]]
    assert flags == ([] if with_scripts else ["form_unproven"])
    [held] = [
        mail["status"] == "HELD"
        for mail in client.deliveries()
        if mail["kind"] == "prospect_confirmation"
    ]
    assert held is not with_scripts


def test_a_mistake_is_mended_with_a_proof_too(
    start_service: Callable[..., Service], visit: Callable[..., Page]
) -> None:
    service = _start(start_service, FORM_PROOF_OF_WORK="on")
    page = visit(service.base_url)
    _fill(page)
    page.get_by_label("E-mail address").fill("nowhere")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert").first).to_contain_text("Write one e-mail address")
    page.get_by_label("E-mail address").fill("zoe@example.com")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert Client(service).only_lead()["flags"] == []


def test_a_browser_that_cannot_make_the_proof_sends_the_form_at_once(
    start_service: Callable[..., Service], visit: Callable[..., Page]
) -> None:
    service = _start(start_service, FORM_PROOF_OF_WORK="on")
    page = visit(service.base_url)
    # As where the page came over http from another machine.
    without = 'Object.defineProperty(crypto, "subtle", { value: undefined });\n'

    def without_subtle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=without + answer.text())

    page.route("**/proof-worker.js*", without_subtle)
    _fill(page)
    page.get_by_role("button", name="Send").click()
    # Sooner than the 20 s that a browser has to make one.
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you", timeout=15_000)
    assert [flag["code"] for flag in Client(service).only_lead()["flags"]] == ["form_unproven"]


def test_a_form_posted_by_a_program_is_kept_and_flagged(
    start_service: Callable[..., Service],
) -> None:
    service = _start(start_service, FORM_PROOF_OF_WORK="on")
    resume = (RESUMES / "resume.pdf").read_bytes()
    answer = httpx.post(
        service.base_url,
        data={"first_name": "Ro", "last_name": "Bot", "email": "r@example.com", "proof": "W10="},
        files={"resume": ("resume.pdf", resume)},
        trust_env=False,
    )
    assert answer.status_code == 303
    assert [flag["code"] for flag in Client(service).only_lead()["flags"]] == ["form_unproven"]


def _fill(page: Page | FrameLocator) -> None:
    page.get_by_label("First name").fill("Zoë")
    page.get_by_label("Last name").fill("Ångström")
    page.get_by_label("E-mail address").fill("zoe@example.com")
    page.get_by_label("Résumé").set_input_files(RESUMES / "resume.pdf")
