"""The public form, its thanks, and the files that pages load."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from notion_backend.application.intake.intake import Intake, Receipt
from notion_backend.application.intake.submissions import Submission
from notion_backend.core.config import Settings
from notion_backend.core.errors import ConfigurationError, Unavailable
from notion_backend.core.ids import new_reference
from notion_backend.presentation.pages.rendering import PageTemplates
from tests.presentation.pages_app import HTML, PagesApp, hidden, pages_app
from tests.servers.databases import Databases
from tests.submitting import RESUMES

PERSON = {"first_name": "Zoë", "last_name": "Ångström", "email": "zoe@example.com"}
RESUME = {"resume": ("Lebenslauf Zoë.pdf", (RESUMES / "resume.pdf").read_bytes())}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[PagesApp]:
    folder = tmp_path_factory.mktemp("pages")
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(folder, url, max_resume_bytes=100_000) as app,
    ):
        yield app


@pytest.fixture
def app(served: PagesApp) -> PagesApp:
    served.empty()
    return served


@pytest.fixture
def browser(app: PagesApp) -> Iterator[httpx.Client]:
    with app.browser() as client:
        yield client


def test_a_form_becomes_a_lead_and_leads_on_to_its_thanks(
    app: PagesApp, browser: httpx.Client
) -> None:
    key = hidden(browser.get("/"), "idempotency_key")
    answer = browser.post("/", data={**PERSON, "idempotency_key": key}, files=RESUME)
    (lead,) = app.leads()
    assert (answer.status_code, answer.headers["location"]) == (303, f"/thanks/{lead.reference}")
    assert (lead.first_name, lead.resume_filename) == ("Zoë", "Lebenslauf Zoë.pdf")
    thanks = browser.get(answer.headers["location"])
    assert thanks.status_code == 200
    assert lead.reference in thanks.text
    assert "Zoë" not in thanks.text


def test_a_form_as_curl_sends_it_is_stored_too(app: PagesApp) -> None:
    answer = httpx.post(app.base_url, data=PERSON, files=RESUME, trust_env=False)
    assert answer.status_code == 303
    assert len(app.leads()) == 1


def test_a_double_click_is_one_lead(app: PagesApp, browser: httpx.Client) -> None:
    form = {**PERSON, "idempotency_key": hidden(browser.get("/"), "idempotency_key")}
    targets = {browser.post("/", data=form, files=RESUME).headers["location"] for _ in range(2)}
    assert len(targets) == len(app.leads()) == 1


def test_each_form_has_a_key_of_its_own(browser: httpx.Client) -> None:
    assert len({hidden(browser.get("/"), "idempotency_key") for _ in range(3)}) == 3


def test_a_mistake_keeps_the_fields_and_says_what_is_wrong_beside_each(
    app: PagesApp, browser: httpx.Client
) -> None:
    form = {**PERSON, "email": "zoe@", "last_name": " ", "idempotency_key": "k-1"}
    page = browser.post("/", data=form, files=RESUME)
    assert (page.status_code, page.headers["content-type"]) == (422, HTML)
    assert 'value="Zoë"' in page.text
    for field in ("email", "last_name"):
        tag = re.search(rf'<input id="{field}"[^>]*>', page.text)
        assert tag
        assert 'aria-invalid="true"' in tag[0]
        assert f'aria-describedby="{field}-mistake"' in tag[0]
        assert f'id="{field}-mistake"' in page.text
        assert f'<a href="#{field}">' in page.text
    assert 'aria-invalid="true"' not in re.findall(r'<input id="first_name"[^>]*>', page.text)[0]
    assert "choose it again" in page.text
    # Nothing was stored, so both clicks on the mended form carry one key.
    assert hidden(page, "idempotency_key") == "k-1"
    assert app.leads() == []


def test_a_form_sent_again_with_other_content_gets_a_new_key(
    app: PagesApp, browser: httpx.Client
) -> None:
    form = {**PERSON, "idempotency_key": "k-1"}
    browser.post("/", data=form, files=RESUME)
    page = browser.post("/", data={**form, "first_name": "Zora"}, files=RESUME)
    key = hidden(page, "idempotency_key")
    assert page.status_code == 422
    assert key != "k-1"
    again = browser.post(
        "/", data={**form, "first_name": "Zora", "idempotency_key": key}, files=RESUME
    )
    assert again.status_code == 303
    assert [lead.first_name for lead in app.leads()] == ["Zoë", "Zora"]


def test_a_key_that_is_none_is_replaced(browser: httpx.Client) -> None:
    page = browser.post("/", data={**PERSON, "idempotency_key": "ü"}, files=RESUME)
    assert page.status_code == 400
    assert hidden(page, "idempotency_key").isascii()


def test_a_file_over_the_limit_is_refused_with_the_fields_kept(browser: httpx.Client) -> None:
    page = browser.post("/", data=PERSON, files={"resume": ("a.pdf", b"%PDF-" + b"x" * 100_000)})
    assert (page.status_code, page.headers["content-type"]) == (413, HTML)
    assert 'value="zoe@example.com"' in page.text
    assert 'id="resume-mistake"' in page.text


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=b", b"--b\r\n", 400),
        ("application/x-www-form-urlencoded", b"first_name=Zo", 415),
    ],
)
def test_what_is_no_form_is_refused_with_a_page(
    app: PagesApp, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type, "Accept": "*/*"}
    page = httpx.post(app.base_url, content=body, headers=headers, trust_env=False)
    assert (page.status_code, page.headers["content-type"]) == (status, HTML)
    assert "<form" in page.text


def test_too_many_forms_are_told_when_to_come_back(tmp_path: Path, sqlite_url: str) -> None:
    with pages_app(tmp_path, sqlite_url, intake_rate_limit="2/hour") as app, app.browser() as one:
        answers = [one.post("/", data=PERSON, files=RESUME) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert int(answers[2].headers["retry-after"]) > 3000
        assert answers[2].headers["content-type"] == HTML
        assert re.search(r"try again in \d+ seconds", answers[2].text)
        assert len(app.leads()) == 2


def test_what_was_typed_and_its_key_are_kept_when_there_were_too_many(
    tmp_path: Path, sqlite_url: str
) -> None:
    form = {**PERSON, "idempotency_key": "k-1"}
    large = {"resume": ("a.pdf", b"%PDF-" + b"x" * 3_000_000)}
    with pages_app(tmp_path, sqlite_url, intake_rate_limit="1/hour") as app, app.browser() as one:
        one.post("/", data=PERSON, files=RESUME)
        for files in (RESUME, large):
            page = one.post("/", data=form, files=files)
            assert page.status_code == 429
            assert 'value="Zoë"' in page.text
            assert 'value="zoe@example.com"' in page.text
            assert hidden(page, "idempotency_key") == "k-1"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: nonsense\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"-" * 200_000),
    ],
)
def test_what_cannot_be_read_is_refused_alike_when_there_were_too_many(
    tmp_path: Path, sqlite_url: str, content_type: str, body: bytes
) -> None:
    with pages_app(tmp_path, sqlite_url, intake_rate_limit="1/hour") as app, app.browser() as one:
        one.post("/", data=PERSON, files=RESUME)
        page = one.post("/", content=body, headers={"Content-Type": content_type})
        assert page.status_code == 429
        assert "what you typed is gone" in page.text


def test_what_cannot_be_stored_now_is_kept_and_told_when_to_come_back(
    app: PagesApp, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_self: Intake, _submission: Submission) -> Receipt:
        raise Unavailable("The disk is full.", retry_after=7)

    monkeypatch.setattr(Intake, "submit", full)
    page = browser.post("/", data={**PERSON, "idempotency_key": "k-1"}, files=RESUME)
    assert (page.status_code, page.headers["retry-after"]) == (503, "7")
    assert "Please try again in 7 seconds." in page.text
    assert 'value="Zoë"' in page.text
    assert hidden(page, "idempotency_key") == "k-1"


def test_the_thanks_promise_no_mail_that_may_be_held(browser: httpx.Client) -> None:
    page = browser.get(f"/thanks/{new_reference()}").text
    assert "As a rule a mail" in page
    assert "on its way" not in page


def test_the_form_says_what_the_settings_say_and_leads_to_the_privacy_policy(
    tmp_path: Path, sqlite_url: str
) -> None:
    words = {
        "form_title": "Work <with> us",
        "form_text": "We read & answer.",
        "privacy_url": "https://firm.example/privacy?a=1&b",
    }
    with pages_app(tmp_path, sqlite_url, **words) as app, app.browser() as one:
        page = one.get("/").text
        assert "<h1>Work &lt;with&gt; us</h1>\n<p>We read &amp; answer.</p>" in page
        assert "<title>Work &lt;with&gt; us · Notion</title>" in page
        link = re.search(r"<a id=\"privacy\"[^>]*>", page)
        assert link
        assert 'href="https://firm.example/privacy?a=1&amp;b" rel="noopener"' in link[0]
        assert "target" not in link[0]
        refused = one.post("/", data={**PERSON, "email": ""}, files=RESUME).text
        assert "<title>Please check: Work &lt;with&gt; us · Notion</title>" in refused


def test_without_settings_the_form_speaks_our_own_words(browser: httpx.Client) -> None:
    page = browser.get("/").text
    assert "<h1>Contact Notion</h1>\n<p>Leave your name" in page
    assert 'id="privacy"' not in page
    assert "/look" not in page


@pytest.mark.parametrize(
    "text", ['"><script>alert(1)</script>', "{{7*7}}{% import os %}", "<iframe src=javascript:x>"]
)
def test_what_is_typed_comes_back_as_text(browser: httpx.Client, text: str) -> None:
    page = browser.post("/", data={**PERSON, "first_name": text, "email": ""}, files=RESUME)
    assert page.status_code == 422
    assert page.text.count("<script") == page.text.count('<script src="/static/') == 2
    assert "<iframe" not in page.text
    assert text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;") in page.text


@pytest.mark.parametrize(
    "reference",
    ["abc", "dcwqvmp25546en72xxx41dz47x", "DCWQVMP25546EN72XXX41DZ47X0", "<script>", "O" * 26],
)
def test_thanks_are_only_said_for_what_looks_like_a_reference(
    browser: httpx.Client, reference: str
) -> None:
    page = browser.get(f"/thanks/{reference}", headers={"Accept": "*/*"})
    assert (page.status_code, page.headers["content-type"]) == (404, HTML)
    assert reference not in page.text


def test_a_reference_that_nobody_has_is_thanked_alike(browser: httpx.Client) -> None:
    reference = new_reference()
    assert reference in browser.get(f"/thanks/{reference}").text


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/thanks/x", '<a href="/">To the form</a>'),
        ("/nothing", '<a href="/">To the form</a>'),
        ("/console/nothing", '<a href="/console">To the leads</a>'),
    ],
)
def test_a_page_that_is_not_there_leads_on(app: PagesApp, path: str, link: str) -> None:
    with app.browser() as client:
        assert link in client.get(path).text


@pytest.mark.parametrize(
    ("path", "is_public"),
    [("/thanks/x", True), ("/nothing", True), ("/consoles", True), ("/console/nothing", False)],
)
def test_an_error_looks_like_the_pages_around_it(app: PagesApp, path: str, is_public: bool) -> None:
    with app.browser() as client:
        page = client.get(path)
        assert page.status_code == 404
        assert ("/static/form.css" in page.text) is is_public
        assert ('<a href="?lang=de"' in page.text) is is_public
        if is_public:
            assert '<html lang="de">' in client.get(f"{path}?lang=de").text


def test_a_form_that_cannot_be_read_is_answered_like_the_form(browser: httpx.Client) -> None:
    page = browser.delete("/")
    assert page.status_code == 405
    assert '<a href="?lang=de"' in page.text
    assert "To the form" not in page.text


@pytest.mark.parametrize(
    "path", ["/", "/thanks/x", "/nothing", "/console/sign-in", "/console/nothing"]
)
def test_pages_load_only_what_we_serve(browser: httpx.Client, path: str) -> None:
    page = browser.get(path)
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
    )
    assert policy.pop("img-src") == "'self' data:"
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        **({"script-src": "'self'"} if not path.startswith("/console") else {}),
        **({"connect-src": "'self'", "worker-src": "'self'"} if path == "/" else {}),
    }
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", page.text)
    for address in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        assert address.startswith(("/", "#", "?"))
        if address.startswith("/static/"):
            assert browser.get(address).status_code == 200


def test_a_page_has_the_marks_that_readers_of_screens_need(browser: httpx.Client) -> None:
    page = browser.get("/").text
    assert page.count("<h1>") == page.count("<main ") == page.count("<header ") == 1
    assert '<html lang="en">' in page
    assert '<a class="skip-link" href="#content">' in page
    for field in ("first_name", "last_name", "email", "resume"):
        assert f'<label for="{field}">' in page
    assert page.index("All fields are required.") < page.index("<label ")
    assert 'accept=".pdf,.doc,.docx,.odt,.rtf,.txt"' in page
    assert "at most 97.7 KiB" in page


def test_the_firm_is_called_as_the_settings_say(tmp_path: Path, sqlite_url: str) -> None:
    with pages_app(tmp_path, sqlite_url, brand_name="Vogel & Söhne") as app, app.browser() as one:
        assert "<h1>Contact Vogel &amp; Söhne</h1>" in one.get("/").text


def test_a_file_in_templates_dir_replaces_one_page(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "thanks.html").write_text("Danke, {{ reference }} von {{ brand }}")
    with pages_app(tmp_path, sqlite_url, templates_dir=tmp_path) as app, app.browser() as one:
        reference = new_reference()
        assert one.get(f"/thanks/{reference}").text == f"Danke, {reference} von Notion"
        assert "<form" in one.get("/").text


def test_a_template_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "form.html").write_text("{% if %}")
    with pytest.raises(ConfigurationError, match=r"TEMPLATES_DIR: pages/form\.html: "):
        PageTemplates(Settings(templates_dir=tmp_path))


def test_a_static_file_is_kept_as_long_as_it_stays_the_same(browser: httpx.Client) -> None:
    address = re.findall(r'href="(/static/site\.css[^"]+)"', browser.get("/").text)[0]
    current = browser.get(address)
    assert current.headers["content-type"] == "text/css; charset=utf-8"
    assert current.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in current.headers["cache-control"]
    for other in ("/static/site.css", "/static/site.css?v=0", f"{address}&v=0"):
        assert browser.get(other).headers["cache-control"] == "no-cache"
    etag = {"If-None-Match": current.headers["etag"]}
    assert browser.get("/static/site.css", headers=etag).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/../rendering.py",
        "/static/..%2frendering.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/%00",
        "/static/site.css%00",
        "/static/%ff%fe",
        "/static/" + "a" * 300,
        "/static/vendor",
        "/static/",
        "/static",
    ],
)
def test_nothing_but_static_files_is_served(app: PagesApp, path: str) -> None:
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("GET", app.base_url)
        request.extensions["target"] = path.encode()
        assert client.send(request).status_code == 404


def test_many_ranges_of_a_static_file_cost_nothing(browser: httpx.Client) -> None:
    ranges = ",".join(f"{start}-{start + 1}" for start in range(0, 10_000, 2))
    answer = browser.get("/static/site.css", headers={"Range": f"bytes={ranges}"})
    assert answer.status_code in (200, 416)


def test_static_files_are_read_only(browser: httpx.Client) -> None:
    answer = browser.post("/static/site.css")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("address", "header", "language"),
    [
        ("/", "", "en"),
        ("/", "de-AT, en;q=0.5", "de"),
        ("/", "fr", "en"),
        ("/?lang=de", "en", "de"),
        ("/?lang=xx", "de", "de"),
    ],
)
def test_the_form_speaks_the_language_that_was_chosen_or_asked_for(
    browser: httpx.Client, address: str, header: str, language: str
) -> None:
    page = browser.get(address, headers={"Accept-Language": header})
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text


def test_a_language_is_chosen_before_anything_is_typed(browser: httpx.Client) -> None:
    page = browser.get("/").text
    assert re.findall(r'<a href="\?lang=(\w+)"', page) == ["en", "de"]
    assert page.index('<nav aria-label="Language">') < page.index("</header>")


def test_a_chosen_language_goes_on_to_the_thanks(browser: httpx.Client) -> None:
    page = browser.get("/?lang=de", headers={"Accept-Language": "en"})
    action = re.search(r'action="([^"]+)"', page.text)
    assert action
    answer = browser.post(action[1], data=PERSON, files=RESUME)
    assert answer.headers["location"].endswith("?lang=de")
    assert '<html lang="de">' in browser.get(answer.headers["location"]).text


def test_who_asks_for_no_language_of_ours_gets_the_default(
    tmp_path: Path, databases: Databases
) -> None:
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(tmp_path, url, default_language="de") as app,
        app.browser() as client,
    ):
        assert '<html lang="de">' in client.get("/").text
