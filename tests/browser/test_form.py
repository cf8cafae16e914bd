"""The public form, as prospects meet it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.faults.proxy import SLOW, Proxy
from tests.servers.service import Service
from tests.service.client import SETTINGS, Client, captured_mails
from tests.submitting import RESUMES
from tests.waiting import wait_until

pytestmark = pytest.mark.needs("chromium")

THANKS = re.compile(r"/thanks/[0-9A-Z]{26}$")
MEBIBYTE = 1024 * 1024
MOST_BYTES = 3 * MEBIBYTE


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests here: each knows its leads by their addresses."""
    settings = {
        **SETTINGS,
        "FORM_MIN_SECONDS": "0",
        "MAX_RESUME_BYTES": str(MOST_BYTES),
        "PRIVACY_URL": "https://firm.example/privacy",
    }
    with Service(tmp_path_factory.mktemp("service"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def staff(service: Service) -> Client:
    return Client(service)


@pytest.mark.parametrize("with_scripts", [False, True])
def test_a_prospect_sends_the_form(open_page: Callable[..., Page], with_scripts: bool) -> None:
    page = open_page("/", java_script_enabled=with_scripts)
    _fill(page, email="zoe@example.com")
    _send(page)
    expect(page).to_have_url(THANKS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    expect(page.locator(".reference")).to_have_text(page.url.rsplit("/", 1)[1])


def test_a_mistake_comes_back_on_the_same_page(open_page: Callable[..., Page]) -> None:
    page = open_page("/", java_script_enabled=False, viewport={"width": 360, "height": 640})
    _fill(page, email="zoe@nowhere")
    _send(page)
    _expect_mistake(page)
    expect(page.get_by_label("Résumé")).to_have_value("")
    page.get_by_label("E-mail address").fill("zoe@example.com")
    page.get_by_label("Résumé").set_input_files(RESUMES / "resume.pdf")
    _send(page)
    expect(page).to_have_url(re.compile("/thanks/"))


def test_with_scripts_a_mistake_keeps_the_file_too(
    open_page: Callable[..., Page], staff: Client
) -> None:
    page = open_page("/", viewport={"width": 360, "height": 640})
    page.evaluate("window.isTheSamePage = true")
    _fill(page, email="kept@nowhere")
    _send(page)
    _expect_mistake(page)
    expect(page).to_have_title(re.compile("^Please check"))
    expect(page.get_by_text("What you typed and the résumé are kept.")).to_be_visible()
    expect(page.get_by_text("choose it again")).to_have_count(0)
    assert page.get_by_label("Résumé").evaluate("field => field.files[0].name") == "resume.pdf"
    expect(page.locator("#resume-note")).to_have_text("Chosen: PDF, 28.3 KiB.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.get_by_label("E-mail address").fill("kept@example.com")
    assert page.evaluate("window.isTheSamePage")
    _send(page)
    expect(page).to_have_url(THANKS)
    (lead,) = _leads_of(staff, "kept@example.com")
    assert lead["resume"]["filename"] == "resume.pdf"


def test_a_double_click_is_one_lead(open_page: Callable[..., Page], staff: Client) -> None:
    page = open_page("/")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))
    _fill(page, email="double@example.com")
    # The mouse would miss the second time: the button makes room for the progress.
    page.get_by_role("button", name="Send").evaluate("each => { each.click(); each.click(); }")
    expect(page).to_have_url(THANKS)
    assert posts.count("POST") == 1
    assert len(_leads_of(staff, "double@example.com")) == 1


@pytest.mark.parametrize("with_scripts", [False, True])
def test_neither_refresh_nor_back_sends_again(
    open_page: Callable[..., Page], staff: Client, with_scripts: bool
) -> None:
    email = f"back-{with_scripts}@example.com".lower()
    page = open_page("/", java_script_enabled=with_scripts)
    _fill(page, email=email)
    _send(page)
    expect(page).to_have_url(THANKS)
    page.reload()
    expect(page).to_have_url(THANKS)
    page.go_back()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).not_to_have_attribute("aria-disabled", "true")
    page.go_forward()
    expect(page).to_have_url(THANKS)
    assert len(_leads_of(staff, email)) == 1


def test_a_form_that_the_browser_kept_can_be_sent_again_and_is_the_same_lead(
    chromium: Browser, service: Service, staff: Client
) -> None:
    def stay_here(route: Route) -> None:
        if route.request.resource_type == "document":
            route.fulfill(status=204)
        else:
            route.continue_()

    with _page_at(chromium, service.port) as page:
        _fill(page, email="return@example.com")
        page.route("**/thanks/*", stay_here)
        with page.expect_response(lambda answer: answer.status == 204):
            _send(page)
        button = page.get_by_role("button", name="Send")
        expect(button).to_have_attribute("aria-disabled", "true")
        page.unroute("**/thanks/*")
        # What Chromium without a window never does by itself: keep a page as it was.
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        expect(button).not_to_have_attribute("aria-disabled", "true")
        _send(page)
        expect(page).to_have_url(THANKS)
        assert len(_leads_of(staff, "return@example.com")) == 1


def test_the_upload_shows_how_far_it_is(
    open_page: Callable[..., Page], staff: Client, tmp_path: Path
) -> None:
    page = open_page("/")
    _fill(page, email="slow@example.com", resume=_text_file(tmp_path, MEBIBYTE))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000},
    )
    page.evaluate(
        """() => {
            const status = document.querySelector("#sending [role=status]");
            sessionStorage.said = "";
            const note = () => { sessionStorage.said += `${status.textContent}|`; };
            new MutationObserver(note).observe(status, { childList: true, characterData: true });
        }"""
    )
    _send(page)
    bar = page.get_by_role("progressbar", name="Sending")
    expect(bar).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Send").click(force=True)
    wait_until(lambda: 0.2 < float(bar.evaluate("bar => bar.value")) < 1)
    expect(page).to_have_url(THANKS)
    # Whoever hears the page is told each quarter once, and no more.
    said = page.evaluate("sessionStorage.said").strip("|").split("|")
    assert (said[0], said[-1]) == ("Sending…", "All is sent; we are storing it.")
    assert "Sent so far: 50%" in said
    assert len(said) == len(set(said)) <= 5
    assert len(_leads_of(staff, "slow@example.com")) == 1


def test_a_lost_connection_keeps_everything_and_is_one_lead(
    chromium: Browser, service: Service, staff: Client
) -> None:
    with Proxy(service.port) as proxy, _page_at(chromium, proxy.port) as page:
        _fill(page, email="offline@example.com")
        proxy.refuse()
        _send(page)
        said = page.locator("#not-sent")
        expect(said).to_contain_text("The connection failed")
        expect(said).to_have_role("alert")
        expect(page.get_by_label("First name")).to_have_value("Zoë")
        expect(page.get_by_role("button", name="Send")).to_be_focused()
        proxy.listen()

        # This time it arrives, and the answer is lost.
        proxy.mode, proxy.bytes_a_second = SLOW, 0.1
        _send(page)
        expect(said).to_be_hidden()
        wait_until(lambda: _leads_of(staff, "offline@example.com"))
        proxy.refuse()
        expect(said).to_contain_text("The connection failed")
        proxy.mode = "pass"
        proxy.listen()
        _send(page)
        expect(page).to_have_url(THANKS)
        (lead,) = _leads_of(staff, "offline@example.com")
        assert page.url.endswith(lead["reference"])


def test_after_a_long_silence_send_can_be_pressed_again(
    chromium: Browser, service: Service, staff: Client
) -> None:
    with _page_at(chromium, service.port) as page:
        page.clock.install()
        page.reload()
        _fill(page, email="silent@example.com")
        silent: list[Route] = []
        page.route("**/", lambda route: route.continue_() if silent else silent.append(route))
        _send(page)
        expect(page.locator("#sending")).to_be_visible()
        page.clock.run_for(61_000)
        expect(page.locator("#not-sent")).to_contain_text("This takes long.")
        expect(page.get_by_role("button", name="Send")).not_to_have_attribute(
            "aria-disabled", "true"
        )
        _send(page)
        expect(page).to_have_url(THANKS)
        assert len(_leads_of(staff, "silent@example.com")) == 1


def test_an_answer_that_read_nothing_does_not_make_the_form_a_new_one(
    chromium: Browser, service: Service
) -> None:
    with _page_at(chromium, service.port) as page:
        _fill(page, email="unread@example.com")
        shown = page.locator("[name=form_stamp]").input_value()
        other = httpx.get(f"http://127.0.0.1:{service.port}/", trust_env=False).text
        assert shown not in other
        page.route(
            "**/", lambda route: route.fulfill(status=503, body=other, content_type="text/html")
        )
        _send(page)
        expect(page.get_by_role("button", name="Send")).not_to_have_attribute(
            "aria-disabled", "true"
        )
        expect(page.locator("#sending")).to_be_hidden()
        assert page.locator("[name=form_stamp]").input_value() == shown
        page.unroute("**/")


def test_a_refusal_without_a_form_is_told_beside_the_button(
    chromium: Browser, service: Service, staff: Client
) -> None:
    refusal = {
        "status": 503,
        "headers": {"Retry-After": "2", "Content-Type": "text/html; charset=utf-8"},
        "body": "<main><h1>Temporarily unavailable</h1><p>Send it again soon.</p></main>",
    }
    with _page_at(chromium, service.port) as page:
        _fill(page, email="full@example.com")
        page.route("**/", lambda route: route.fulfill(**refusal))
        _send(page)
        expect(page.locator("#not-sent")).to_have_text(
            "Temporarily unavailable · Send it again soon. · Please try again in 2 seconds."
        )
        page.unroute("**/")
        _send(page)
        expect(page).to_have_url(THANKS)
        assert len(_leads_of(staff, "full@example.com")) == 1


def test_a_file_is_checked_before_it_is_sent_and_judged_by_the_server(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("/")
    _fill(page, email="judged@example.com", resume=_text_file(tmp_path, MOST_BYTES + 1))
    resume = page.get_by_label("Résumé")
    said = page.locator("#resume-mistake")
    expect(said).to_have_text("This file has 3.1 MiB. Send a résumé of at most 3 MiB.")
    expect(said).to_have_role("alert")
    expect(resume).to_have_accessible_description(re.compile("^This file has 3.1 MiB"))
    expect(resume).to_have_attribute("aria-invalid", "true")
    resume.set_input_files(RESUMES / "resume.html")
    expect(said).to_contain_text("does not end like that of a résumé")
    in_words_of_the_page = said.inner_text()
    _send(page)
    expect(page.locator("section[role=alert]")).to_contain_text(in_words_of_the_page)
    expect(page.locator("#resume-mistake")).to_have_count(1)
    resume.set_input_files(RESUMES / "resume.odt")
    expect(said).to_have_count(0)
    expect(resume).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#resume-note")).to_contain_text("Chosen: ODT, ")
    _send(page)
    expect(page).to_have_url(THANKS)


def test_a_file_far_over_the_limit_keeps_what_was_typed(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("/")
    _fill(page, email="huge@example.com", resume=_text_file(tmp_path, 5 * MOST_BYTES))
    _send(page)
    expect(page.locator("section[role=alert]")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_value("huge@example.com")
    expect(page.locator("#resume-mistake")).to_be_visible()


def test_a_file_is_dropped_onto_its_field_and_nowhere_else(
    open_page: Callable[..., Page], staff: Client
) -> None:
    page = open_page("/")
    _fill(page, email="dropped@example.com", resume=None)
    expect(page.get_by_text("You can also drop the file here.")).to_be_visible()
    _drop(page, "h1", RESUMES / "resume.docx")
    _drop(page, "#resume-row", RESUMES / "resume.docx", RESUMES / "resume.pdf")
    expect(page.locator("#resume-note")).to_contain_text("Chosen: DOCX, ")
    assert page.get_by_label("Résumé").evaluate("field => field.files.length") == 1
    _send(page)
    expect(page).to_have_url(THANKS)
    (lead,) = _leads_of(staff, "dropped@example.com")
    assert lead["resume"]["filename"] == "resume.docx"


def test_however_the_form_is_sent_the_lead_is_the_same(
    open_page: Callable[..., Page], service: Service, staff: Client
) -> None:
    for with_scripts in (True, False):
        page = open_page("/", java_script_enabled=with_scripts)
        _fill(page, email=f"{'script' if with_scripts else 'page'}@same.example")
        _send(page)
        expect(page).to_have_url(THANKS)
    person = {"first_name": "Zoë", "last_name": "Ångström", "email": "curl@same.example"}
    files = {"resume": ("resume.pdf", (RESUMES / "resume.pdf").read_bytes())}
    assert httpx.post(service.base_url, data=person, files=files, trust_env=False).is_redirect
    kinds = ("script", "page", "curl")
    (one, two, three) = (_all_about(service, staff, f"{kind}@same.example") for kind in kinds)
    assert one == two == three
    assert len(one["mails"]) == 2


def test_in_a_frame_the_form_works_alike_and_its_privacy_link_opens_outside(
    chromium: Browser, service: Service, staff: Client
) -> None:
    def allow_frames(route: Route) -> None:
        if route.request.resource_type != "document":
            route.continue_()
            return
        answer = route.fetch()
        refusals = {"x-frame-options", "content-security-policy"}
        headers = {k: v for k, v in answer.headers.items() if k not in refusals}
        route.fulfill(response=answer, headers=headers)

    with _page_at(chromium, service.port) as page:
        page.route("**/*", allow_frames)
        page.goto("/thanks/" + "A" * 26)
        page.evaluate("document.body.append(document.createElement('iframe'))")
        page.evaluate("document.querySelector('iframe').src = '/'")
        frame = page.frame_locator("iframe")
        link = frame.get_by_role("link", name="privacy policy")
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", "noopener")
        _fill(frame, email="framed@example.com")
        _send(frame)
        expect(frame.get_by_role("heading", level=1)).to_have_text("Thank you")
        expect(frame.locator(".reference")).not_to_have_text("A" * 26)
        assert len(_leads_of(staff, "framed@example.com")) == 1


def test_the_form_fits_a_narrow_screen_and_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/", viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for language in ("English", "Deutsch"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=language)).to_be_focused()
    for label in ("First name", "Last name", "E-mail address", "Résumé"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()


def test_the_whole_page_is_light_and_its_script_leaves_nothing_behind(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/thanks/" + "A" * 26)
    own_names = page.evaluate("Object.getOwnPropertyNames(window)")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto("/", wait_until="networkidle")
    assert len(sizes) >= 5
    assert sum(sizes) <= 30_000
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) <= set(own_names)
    for name in ("request", "submit", "prepare"):
        assert page.evaluate(f"typeof {name}") == "undefined"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_firm_s_colour_logo_and_words_are_shown(
    start_service: Callable[..., Service], chromium: Browser, tmp_path: Path, color_scheme: str
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="50"><rect width="9"/></svg>'
    )
    service = start_service(
        BRAND_NAME="Vogel",
        BRAND_COLOR="#ffd400",
        BRAND_LOGO=str(logo),
        FORM_TITLE="Work with us",
        FORM_TEXT="We read everything.",
        PRIVACY_URL="https://firm.example/privacy",
    )
    options: dict[str, Any] = {
        "color_scheme": color_scheme,
        "viewport": {"width": 360, "height": 640},
    }
    with _page_at(chromium, service.port, **options) as page:
        picture = page.get_by_role("img", name="Vogel")
        assert picture.evaluate("each => [each.naturalWidth, each.height]") == [200, 40]
        expect(page.get_by_role("heading", level=1)).to_have_text("Work with us")
        expect(page.get_by_text("We read everything.")).to_be_visible()
        button = page.get_by_role("button", name="Send")
        expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
        expect(button).to_have_css("color", "rgb(0, 0, 0)")
        policy = page.get_by_role("link", name="privacy policy")
        assert policy.get_attribute("target") is None
        kept = policy.evaluate("each => getComputedStyle(each).color") == "rgb(255, 212, 0)"
        assert kept == (color_scheme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@contextmanager
def _page_at(chromium: Browser, port: int, **options: Any) -> Iterator[Page]:
    """Open the form where a request may fail, and where nobody minds the browser's complaint."""
    context = chromium.new_context(base_url=f"http://127.0.0.1:{port}", **options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/")
    yield page
    context.close()


def _fill(
    page: Page | FrameLocator, email: str, resume: Path | None = RESUMES / "resume.pdf"
) -> None:
    page.get_by_label("First name").fill("Zoë")
    page.get_by_label("Last name").fill("Ångström")
    page.get_by_label("E-mail address").fill(email)
    if resume is not None:
        page.get_by_label("Résumé").set_input_files(resume)


def _send(page: Page | FrameLocator) -> None:
    page.get_by_role("button", name="Send").click()


def _expect_mistake(page: Page) -> None:
    email = page.get_by_label("E-mail address")
    expect(email).to_have_accessible_description(re.compile("Write one e-mail address"))
    expect(page.get_by_label("First name")).to_have_value("Zoë")
    summary = page.get_by_role("alert").filter(has_text="Write one e-mail address")
    expect(summary).to_be_focused()


def _drop(page: Page, selector: str, *files: Path) -> None:
    """Drop files as the desktop does."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 10}
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def _text_file(folder: Path, size: int) -> Path:
    file = folder / "long.txt"
    file.write_bytes((b"a long story\n" * (size // 13 + 1))[:size])
    return file


def _leads_of(staff: Client, email: str) -> list[dict[str, Any]]:
    return list(staff.items("/leads", q=email))


def _all_about(service: Service, staff: Client, email: str) -> dict[str, Any]:
    """What is known of the one lead with this address, but for what is its own."""
    (lead,) = _leads_of(staff, email)
    path = f"/leads/{lead['id']}/deliveries"
    wait_until(lambda: {mail["status"] for mail in staff.items(path)} == {"SENT"})
    mails = [mail for mail in captured_mails(service) if lead["reference"] in _words_of(mail)]
    own = [str(lead[name]) for name in ("id", "reference", "email", "created_at", "updated_at")]
    return {
        "lead": {name: value for name, value in lead.items() if str(value) not in own},
        "mails": sorted(_without(_words_of(mail), lead) for mail in mails),
    }


def _words_of(mail: EmailMessage) -> str:
    shown = [f"{name}: {mail[name]}" for name in ("From", "To", "Reply-To", "Subject")]
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*shown, *texts])


def _without(text: str, lead: dict[str, Any]) -> str:
    for own in (lead["reference"], lead["email"], f"leads/{lead['id']}", lead["created_at"]):
        text = text.replace(own, "…")
    return text
