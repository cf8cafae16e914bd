"""Names that are made to break a page, on every page that shows a lead."""

import unicodedata
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sample import PASSWORD, Sample, store_sample, submit
from tests.servers.service import Service
from tests.service.client import SETTINGS, captured_mails

pytestmark = pytest.mark.needs("chromium")

NAMES = {
    "script": "<script>window.broken = true</script>",
    "image": '"><img src=x onerror="window.broken = true">',
    "emoji": "😀" * 200,
    "right to left": "محمد بن عبد الله ١٢٣",
    "hebrew and digits": "שרה 42 כהן",
    "long word": "x" * 100,
    "long umlauts": "Ä" * 255,
    "template": "{{ 7 * 7 }}{% raw %}%(name)s{name}",
    "marks": "".join(f"{letter}\u0338\u0301" for letter in "Zalgo"),
}
WIDTHS = (360, 1280)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD}
    with Service(tmp_path_factory.mktemp("service"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def sample(service: Service) -> Sample:
    sample = store_sample(service)
    with httpx.Client(base_url=service.base_url, trust_env=False) as client:
        for name in NAMES.values():
            submit(client, name, "Y", "hostile@example.com")
    return sample


@pytest.fixture
def page(chromium: Browser, sample: Sample) -> Iterator[Page]:
    context = chromium.new_context(base_url=sample.base_url)
    sample.sign_in(context)
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def test_lists_of_hostile_names_hold(page: Page) -> None:
    for path in ("/console/dashboard", "/console/mails?status=ALL", "/console?q=hostile"):
        page.goto(path)
        _holds(page)
    for name in NAMES.values():
        expect(page.get_by_text(f"{_composed(name)} Y", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/console/leads/{}", "/console/leads/{}/erase"])
def test_the_pages_of_hostile_names_hold(page: Page, sample: Sample, path: str) -> None:
    first = max(sample.leads.values()) + 1
    for number, name in enumerate(NAMES.values(), first):
        page.goto(path.format(number))
        _holds(page)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_contain_text(f"{_composed(name)} Y")


def test_its_mails_hold_too(service: Service, sample: Sample) -> None:
    bodies = [
        mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
        for mail in captured_mails(service)
    ]
    assert any("window.broken" in body for body in bodies)
    assert not any("<script" in body or "<img" in body for body in bodies)


def _holds(page: Page) -> None:
    assert page.evaluate("window.broken") is None
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_OVERLAPPING) == []


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


# Cells of one row that cover each other.
_OVERLAPPING = """() => {
  const found = [];
  for (const row of document.querySelectorAll("main tbody tr")) {
    const boxes = [...row.cells].map((cell) => [cell, cell.getBoundingClientRect()]);
    for (const [cell, box] of boxes) {
      for (const [other, its] of boxes) {
        const apart =
          cell === other || box.right <= its.left + 1 || its.right <= box.left + 1 ||
          box.bottom <= its.top + 1 || its.bottom <= box.top + 1;
        if (!apart) found.push(cell.textContent.slice(0, 40));
      }
      if (cell.scrollWidth > cell.clientWidth + 1) found.push(`wide: ${cell.textContent}`);
    }
  }
  return found;
}"""
