"""The console's mails, with a mail server that refuses and then takes them."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.servers.service import Service
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import CHEAP_HASHES
from tests.submitting import RESUMES
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("chromium")

HOSTILE = "<img src=x onerror=alert(1)> مرحبا " + "🧑\u200d🚀" * 40 + "x" * 100
NARROW = {"viewport": {"width": 360, "height": 640}}
WAYS = [
    pytest.param({}, id="wide"),
    pytest.param(NARROW, id="narrow"),
    pytest.param({"java_script_enabled": False} | NARROW, id="without scripts"),
]
PAGES = ("/console", "/console/leads/1", "/console/mails", "/console/account")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def service(start_service: Callable[..., Service], sink: SmtpSink) -> Service:
    return start_service(
        ADMIN_PASSWORD=PASSWORD,
        PROSPECT_MAIL_LIMIT="off",
        SMTP_HOST=sink.host,
        SMTP_PORT=str(sink.port),
        SMTP_SECURITY="none",
        STAFF_EMAILS="desk@firm.example",
        **CHEAP_HASHES,
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_failed_mail_is_sent_again(
    service: Service, sink: SmtpSink, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    refusal = "550 5.1.1 <script>alert(2)</script> " + "y" * 300
    sink.script["rcpt"] = lambda line: refusal if "zoe@" in line else None
    _submit(service)
    page = _open_mails(open_page, way)
    failed = page.get_by_role("row").filter(has_text="zoe@example.com")
    wait_until(lambda: page.goto("/console/mails") and failed.is_visible())
    expect(page.get_by_role("heading", level=2, name="Failed")).to_be_visible()
    expect(failed).to_contain_text("550 5.1.1 <script>alert(2)</script>")
    expect(failed.get_by_role("link", name=f"{HOSTILE} Ångström")).to_be_visible()
    _fits(page)
    sink.script.clear()
    failed.get_by_role("button", name="Send again to zoe@example.com").click()
    expect(page.get_by_role("status")).to_contain_text("The mail to zoe@example.com was made due.")
    wait_until(lambda: sink.to("zoe@example.com"))
    wait_until(
        lambda: page.reload() and page.get_by_role("status").get_by_text("Sent").is_visible()
    )
    page.get_by_role("link", name=re.compile("^Sent")).click()
    expect(page.get_by_role("row").filter(has_text="zoe@example.com")).to_be_visible()
    _fits(page)


@pytest.mark.parametrize("way", WAYS)
def test_all_that_failed_are_sent_again_after_a_question(
    service: Service, sink: SmtpSink, open_page: Callable[..., Page], way: dict[str, object]
) -> None:
    sink.script["rcpt"] = "550 5.7.1 not today"
    _submit(service)
    page = _open_mails(open_page, way)
    tab = page.get_by_role("link", name=re.compile("^Failed"))
    wait_until(lambda: page.reload() and tab.inner_text() == "Failed 2")
    sink.script.clear()
    page.get_by_role("button", name="Send all again").or_(
        page.get_by_role("link", name="Send all again")
    ).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Send all 2 mails that failed again?")
    _fits(page)
    page.get_by_role("button", name="Send 2 mails").click()
    expect(page.get_by_role("status")).to_contain_text("2 mails were made due.")
    sink.wait_for(2)


def test_every_page_begins_with_it_while_no_mail_gets_out(
    service: Service, sink: SmtpSink, open_page: Callable[..., Page]
) -> None:
    sink.script["banner"] = "554 5.3.2 <b>no service</b>"
    _submit(service)
    page = _open_mails(open_page, NARROW)
    stopped = page.get_by_role("status").filter(has_text="Mail has stopped.")
    wait_until(lambda: page.reload() and stopped.is_visible())
    for path in PAGES:
        page.goto(path)
        expect(stopped).to_contain_text("<b>no service</b>")
        _fits(page)
    stopped.get_by_role("link", name="Look at the mails").click()
    expect(page).to_have_url(f"{service.base_url}/console/mails")
    expect(page.get_by_text("has stopped", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^since \d{4}-"))).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="zoe@example.com")).to_be_visible()
    sink.script.clear()
    sink.wait_for(2, timeout=70)
    wait_until(lambda: page.reload() and not stopped.is_visible())
    expect(page.get_by_text("flows", exact=True)).to_be_visible()


def test_every_page_begins_with_it_when_ten_mails_in_a_row_failed(
    service: Service, sink: SmtpSink, open_page: Callable[..., Page]
) -> None:
    sink.script["rcpt"] = "550 5.7.1 not today"
    for _ in range(5):
        _submit(service)
    page = _open_mails(open_page, {})
    stopped = page.get_by_role("status").filter(has_text="Mail has stopped.")
    wait_until(lambda: page.reload() and stopped.is_visible())
    for path in PAGES:
        page.goto(path)
        expect(stopped).to_contain_text("10 mails in a row failed")
        expect(stopped).to_contain_text("not today")


def _submit(service: Service) -> None:
    httpx.post(
        f"{service.base_url}/api/v1/leads",
        data={"first_name": HOSTILE, "last_name": "Ångström", "email": "zoe@example.com"},
        files={"resume": ("resume.pdf", (RESUMES / "resume.pdf").read_bytes())},
        trust_env=False,
    ).raise_for_status()


def _open_mails(open_page: Callable[..., Page], way: dict[str, object]) -> Page:
    page = open_page("/console/mails", **way)
    page.get_by_label("User name or e-mail address").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mails")
    _fits(page)
    return page


def _fits(page: Page) -> None:
    size = page.viewport_size
    assert size
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
