"""Who may show which page in a frame, and the script that puts the form there."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from notion_backend.core.config import Settings
from tests.presentation.pages_app import PagesApp, pages_app
from tests.servers.databases import Databases

SITES = ("https://www.example.com", "http://localhost:8080")
PUBLIC = ["/", "/thanks/7NM84DK2YHBYGXFXM6K1X6289H", "/thanks/nothing"]
OTHERS = ["/console", "/console/sign-in", "/api/v1/users/me", "/static/site.css", "/nothing"]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[PagesApp]:
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(
            tmp_path_factory.mktemp("pages"),
            url,
            embed_origins=",".join(SITES),
            form_proof_of_work="on",
            intake_rate_limit="1/hour",
        ) as app,
    ):
        yield app


def _ancestors(answer: httpx.Response) -> str:
    [found] = [
        part.strip()
        for part in answer.headers["content-security-policy"].split(";")
        if part.strip().startswith("frame-ancestors")
    ]
    return found.removeprefix("frame-ancestors ")


@pytest.mark.parametrize("path", PUBLIC)
def test_the_named_sites_may_show_the_public_pages(embedded: PagesApp, path: str) -> None:
    with embedded.browser() as client:
        answer = client.get(path)
    assert _ancestors(answer) == f"'self' {' '.join(SITES)}"
    assert "x-frame-options" not in answer.headers


def test_a_refusal_can_be_read_in_the_frame_too(embedded: PagesApp) -> None:
    with embedded.browser() as client:
        answers = [client.post("/", data={"x": "y"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [415, 429]
    for answer in answers:
        assert SITES[0] in _ancestors(answer)
        assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize("path", OTHERS)
def test_nobody_may_show_anything_else(embedded: PagesApp, path: str) -> None:
    with embedded.browser() as client:
        answer = client.get(path)
    assert answer.headers["x-frame-options"] == "DENY"
    assert _ancestors(answer) == "'none'"


@pytest.mark.parametrize("path", PUBLIC)
def test_where_no_site_is_named_nobody_may_show_the_form(app: PagesApp, path: str) -> None:
    with app.browser() as client:
        answer = client.get(path)
    assert (_ancestors(answer), answer.headers["x-frame-options"]) == ("'none'", "DENY")


def test_any_site_may_load_the_script_that_embeds(app: PagesApp) -> None:
    with app.browser() as client:
        answer = client.get("/embed.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert len(answer.content) < 2000


def test_the_console_shows_what_to_paste_and_what_is_on(app: PagesApp, embedded: PagesApp) -> None:
    with embedded.signed_in() as client:
        page = client.get("/console/form").text
    for text in (*SITES, "/embed.js&#34; async", "Proof of work: on", "after 2 seconds"):
        assert text in page, text
    with app.signed_in() as client:
        page = client.get("/console/form").text
    for text in ("EMBED_ORIGINS", "Proof of work: off"):
        assert text in page, text


def test_the_form_carries_a_challenge_for_its_key(embedded: PagesApp, app: PagesApp) -> None:
    with embedded.browser() as client:
        assert "data-challenge=" in client.get("/").text
    with app.browser() as client:
        assert "challenge" not in client.get("/").text


@pytest.mark.parametrize(
    "value",
    [
        "www.example.com",
        "https://a.example/path",
        "*",
        "'self'",
        "https://例え.jp",
        "https://bücher.example",
        "https://a.example; script-src *",
        "https://a.example:x",
        "https://user@a.example",
        "https://",
    ],
)
def test_a_site_is_named_by_its_origin(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBED_ORIGINS", value)
    with pytest.raises(ValueError, match="embed_origins"):
        Settings()


@pytest.mark.parametrize(
    "value", ["https://*.example.com", "http://localhost:8080", "https://[::1]:8443"]
)
def test_an_origin_may_have_a_port_and_stand_for_subdomains(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBED_ORIGINS", value)
    assert Settings().embed_origins == (value,)


def test_what_is_pasted_is_sound_whatever_the_firm_is_called(
    tmp_path: Path, databases: Databases
) -> None:
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(tmp_path, url, brand_name='Müller "Jobs" & Co') as app,
        app.signed_in() as client,
    ):
        page = unescape(client.get("/console/form").text)
    assert ' title="Müller &quot;Jobs&quot; &amp; Co" ' in page


def test_the_frame_of_a_preview_has_an_origin_of_its_own_and_no_network(app: PagesApp) -> None:
    with app.signed_in() as client:
        answer = client.get("/console/preview")
    policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
    assert {"sandbox allow-scripts", "default-src 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not any(part.startswith("connect-src") for part in policy)
    with app.browser() as stranger:
        assert stranger.get("/console/preview").status_code == 303
