"""A PDF is shown beside its lead, in a frame without rights."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.sample import PASSWORD
from tests.servers.service import Service
from tests.service.client import SETTINGS

pytestmark = pytest.mark.needs("chromium")

_OPENS_WITH_A_SCRIPT = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (x) >> >>"
_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD}
    with Service(tmp_path_factory.mktemp("service"), **settings) as running:
        yield running


@pytest.fixture
def open_lead(service: Service, open_page: Callable[..., Page]) -> Callable[[str, bytes], Page]:
    """Store a lead with this résumé and open its page."""

    def open_it(filename: str, content: bytes) -> Page:
        httpx.post(
            f"{service.base_url}/api/v1/leads",
            data={"first_name": "Zoë", "last_name": filename, "email": "zoe@example.com"},
            files={"resume": (filename, content)},
            trust_env=False,
        ).raise_for_status()
        page = open_page("/console")
        page.get_by_label("User name or e-mail address").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name=f"Zoë {filename}").first.click()
        return page

    return open_it


def test_the_pages_of_a_pdf_are_drawn(open_lead: Callable[[str, bytes], Page]) -> None:
    page = open_lead("pages.pdf", a_pdf("one", "two", "three"))
    page.get_by_role("button", name="Show preview").click()
    frame = page.frame_locator("#preview")
    for number in (1, 2, 3):
        expect(frame.get_by_role("img", name=f"Page {number} of 3")).to_be_visible()
    expect(page.get_by_role("button", name="Show preview")).to_be_hidden()
    # Something is drawn: not all of the paper is white.
    assert frame.locator("canvas").first.evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
        ".data.some((value, index) => index % 4 < 3 && value < 128)"
    )
    page.reload()
    expect(page.get_by_text("read the résumé")).to_be_visible()


def test_the_frame_has_no_rights(open_lead: Callable[[str, bytes], Page]) -> None:
    page = open_lead("rights.pdf", a_pdf("x", catalog=_OPENS_WITH_A_SCRIPT))
    page.get_by_role("button", name="Show preview").click()
    expect(page.frame_locator("#preview").get_by_role("img")).to_be_visible()
    [inner] = [frame for frame in page.frames if frame.url.endswith("/console/preview")]
    assert inner.evaluate("window.origin") == "null"
    for attempt in ("document.cookie", "window.parent.document.title", "localStorage.length"):
        with pytest.raises(Exception, match=r"Security|origin|sandbox"):
            inner.evaluate(attempt)


@pytest.mark.parametrize("content", [b"%PDF-1.7\nbroken\n", b"%PDF-1.4\n" + b"\x00" * 5000])
def test_a_file_that_cannot_be_shown_can_be_downloaded(
    open_lead: Callable[[str, bytes], Page], content: bytes
) -> None:
    page = open_lead("broken.pdf", content)
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_text("This file cannot be shown here; download it.")).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()


def test_of_a_long_file_the_first_pages_are_shown_and_that_is_said(
    open_lead: Callable[[str, bytes], Page],
) -> None:
    page = open_lead("long.pdf", a_pdf(*(f"{number}" for number in range(22))))
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_text("The first 20 of 22 pages")).to_be_visible()
    expect(page.frame_locator("#preview").get_by_role("img")).to_have_count(20)
    expect(page.locator("#preview")).to_be_focused()


def test_a_preview_that_is_done_takes_no_focus_from_who_types(
    open_lead: Callable[[str, bytes], Page],
) -> None:
    page = open_lead("late.pdf", a_pdf("x"))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/resume", hold)
    with page.expect_request("**/resume"):
        page.get_by_role("button", name="Show preview").click()
    page.get_by_text("Correct a typing error").click()
    page.get_by_label("First name").focus()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.frame_locator("#preview").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("button", name="Show preview")).to_be_hidden()
    expect(page.get_by_label("First name")).to_be_focused()


def test_whoever_was_signed_out_is_told_that_there_is_no_preview(
    open_lead: Callable[[str, bytes], Page],
) -> None:
    page = open_lead("gone.pdf", a_pdf("x"))
    page.context.clear_cookies()
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_text("This file cannot be shown here; download it.")).to_be_visible()


def test_only_a_pdf_has_a_preview(open_lead: Callable[[str, bytes], Page]) -> None:
    page = open_lead("resume.txt", b"Zoe has built bridges.")
    expect(page.get_by_role("link", name="resume.txt")).to_be_visible()
    expect(page.get_by_role("button", name="Show preview")).to_have_count(0)


def a_pdf(*pages: str, catalog: bytes = _CATALOG) -> bytes:
    """Write a PDF with a line on each page."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        catalog,
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        stream = b"BT /F1 72 Tf 72 600 Td (%s) Tj ET 72 400 300 100 re f" % text.encode()
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    content, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return content + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        content.index(b"xref\n"),
    )
