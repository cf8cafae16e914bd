"""Pages and mails in the language of who reads them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from notion_backend.core.enums import DeliveryKind
from notion_backend.data.models import Delivery
from tests.factories import a_lead
from tests.presentation.pages_app import PagesApp, pages_app
from tests.servers.databases import Databases
from tests.submitting import RESUMES

PERSON = {"first_name": "Zoë", "last_name": "Ångström", "email": "zoe@example.com"}
RESUME = {"resume": ("Lebenslauf.pdf", (RESUMES / "resume.pdf").read_bytes())}
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture
def browser(app: PagesApp) -> Iterator[httpx.Client]:
    with app.browser() as client:
        client.headers.update(GERMAN)
        yield client


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[PagesApp]:
    folder = tmp_path_factory.mktemp("pages")
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(folder, url, default_language="de", form_proof_of_work="on") as app,
    ):
        yield app


def test_the_form_its_mistakes_and_its_thanks_are_german(browser: httpx.Client) -> None:
    assert "Hinterlassen Sie Ihren Namen" in browser.get("/").text
    page = browser.post("/", data=PERSON | {"email": "nowhere"}, files=RESUME)
    assert "Bitte geben Sie eine E-Mail-Adresse an" in page.text
    page = browser.post("/", data=PERSON | {"first_name": ""}, files=RESUME)
    assert "Bitte füllen Sie das Feld „Vorname“ aus." in page.text
    page = browser.post("/", data=PERSON, files={"resume": ("a.pdf", b"\x00\x01")})
    assert (
        "kein Lebenslauf, den wir lesen können. Bitte senden Sie den Lebenslauf als PDF"
        in page.text
    )
    thanks = browser.get(browser.post("/", data=PERSON, files=RESUME).headers["location"])
    assert "Ihr Aktenzeichen:" in thanks.text
    assert "Nicht gefunden" in browser.get("/thanks/nothing").text


def test_an_error_page_is_german_with_its_figures_too(browser: httpx.Client) -> None:
    answer = browser.post("/console/sign-in", data={"username": "x" * 100_000})
    assert answer.status_code == 400
    assert "Ein Formular hat hier höchstens 65536 Byte" in answer.text
    assert '<html lang="de">' in answer.text


@pytest.mark.parametrize("code", ["de", "DE", "de-AT"])
def test_an_address_names_a_language_as_headers_do(app: PagesApp, code: str) -> None:
    with app.browser() as client:
        assert '<html lang="de">' in client.get("/", params={"lang": code}).text


def test_a_header_that_comes_in_two_lines_is_one(app: PagesApp) -> None:
    with app.browser() as client:
        lines = [("Accept-Language", "fr"), ("Accept-Language", "de")]
        assert '<html lang="de">' in client.get("/", headers=lines).text


def test_a_confirmation_speaks_the_language_of_the_page(
    app: PagesApp, browser: httpx.Client
) -> None:
    browser.post("/", data=PERSON, files=RESUME)
    browser.post("/?lang=en", data=PERSON, files=RESUME)
    assert _languages(app, DeliveryKind.PROSPECT_CONFIRMATION) == ["de", "en"]
    assert set(_languages(app, DeliveryKind.STAFF_NOTIFICATION)) == {"en"}


def test_a_submission_by_the_api_speaks_the_language_it_asks_for_and_a_repeat_changes_nothing(
    app: PagesApp, browser: httpx.Client
) -> None:
    for header in ("de", "en", None):
        headers: dict[str, Any] = {"Idempotency-Key": "one", "Accept-Language": header or ""}
        answer = browser.post("/api/v1/leads", data=PERSON, files=RESUME, headers=headers)
        assert answer.status_code == 201
    assert _languages(app, DeliveryKind.PROSPECT_CONFIRMATION) == ["de"]


def test_the_api_tells_its_errors_in_english(browser: httpx.Client) -> None:
    answer = browser.post("/api/v1/leads", data=PERSON | {"email": "nowhere"}, files=RESUME)
    assert "Write one e-mail address" in answer.json()["detail"]


def test_staff_read_in_the_language_of_the_firm_why_a_lead_is_flagged(german: PagesApp) -> None:
    german.empty()
    with german.browser() as client:
        client.post("/", data=PERSON | {"website": "x"}, files=RESUME)
    [context] = _contexts(german, DeliveryKind.STAFF_NOTIFICATION)
    assert context["language"] == "de"
    assert context["flags"] == (
        "Ein Feld war ausgefüllt, das Menschen nicht sehen. "
        "Das Formular kam ohne den Arbeitsnachweis, den seine Seite erbringt."
    )
    with german.signed_in() as staff:
        lead = german.leads()[0]
        page = staff.get(f"/console/leads/{lead.id}").text
    assert (
        "Sieht nach einem Roboter aus: Ein Feld war ausgefüllt, das Menschen nicht sehen. "
        "Das Formular kam ohne den Arbeitsnachweis" in page
    )


def test_the_console_is_german_for_who_reads_german(app: PagesApp, browser: httpx.Client) -> None:
    page = browser.post("/console/sign-in", data={"username": "x", "password": "y"}).text
    assert "Bitte prüfen Sie den Benutzernamen oder die E-Mail-Adresse und das Passwort." in page
    with app.database.writing() as work:
        lead = a_lead(work, resume=None)
        work.commit()
    with app.signed_in() as client:
        client.headers.update(GERMAN)
        for path, text in {
            "/console": "Offen",
            f"/console/leads/{lead.id}": "Als kontaktiert vermerken",
            f"/console/leads/{lead.id}/erase": "endgültig gelöscht",
            "/console/mails": "Mails nach Stand",
            "/console/dashboard": "Anfragen je Tag",
            "/console/form": "auf Ihrer Website",
            "/console/users": "Jemanden einladen",
            "/console/account": "Wo Sie angemeldet sind",
        }.items():
            page = client.get(path).text
            assert text in page, path
            assert '<html lang="de">' in page


def _contexts(app: PagesApp, kind: DeliveryKind) -> list[dict[str, str]]:
    with app.database.reading() as work:
        query = select(Delivery.context).where(Delivery.kind == kind).order_by(Delivery.created_at)
        return list(work._session.scalars(query))


def _languages(app: PagesApp, kind: DeliveryKind) -> list[str]:
    return [context["language"] for context in _contexts(app, kind)]
