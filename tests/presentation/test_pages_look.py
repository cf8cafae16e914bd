"""The firm's colour and logo: readable whatever they are, and served so that they do no harm."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notion_backend.core.pictures import picture_type
from notion_backend.presentation.pages.look import (
    BLACK,
    DARK,
    LIGHT,
    WHITE,
    Color,
    Paper,
    shades_of,
    style_sheet,
)
from tests.presentation.pages_app import PagesApp, pages_app

CHANNEL = st.integers(0, 255)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
PICTURES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "image/svg+xml": SVG,
}


@given(color=st.builds(Color, CHANNEL, CHANNEL, CHANNEL), paper=st.sampled_from([LIGHT, DARK]))
@example(color=WHITE, paper=LIGHT)
@example(color=BLACK, paper=DARK)
@example(color=Color.read("#767676"), paper=LIGHT)
@example(color=Color.read("#ffff00"), paper=LIGHT)
@example(color=Color.read("#0000ff"), paper=DARK)
def test_whatever_the_colour_everything_can_be_read(color: Color, paper: Paper) -> None:
    shades = shades_of(color, paper)
    for back in paper.backgrounds:
        assert shades.link.contrast(back) >= 4.5
        assert shades.link_hover.contrast(back) >= 4.5
        assert shades.frame.contrast(back) >= 3
    assert shades.button_text.contrast(shades.button) >= 4.5
    assert shades.button_text.contrast(shades.button_hover) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert BLACK.contrast(WHITE) == pytest.approx(21)
    assert Color.read("#767676").contrast(WHITE) == pytest.approx(4.54, abs=0.005)
    assert WHITE.contrast(WHITE) == 1


def test_a_colour_that_can_be_read_is_kept_as_it_is() -> None:
    teal = Color.read("#0a6c74")
    shades = shades_of(teal, LIGHT)
    assert (shades.link, shades.button, shades.frame) == (teal, teal, teal)
    assert shades.button_text == WHITE


def test_the_style_sheet_sets_the_colours_for_light_and_for_dark() -> None:
    light, dark = style_sheet("#ffd400").split(
        "@media only screen and (prefers-color-scheme: dark)"
    )
    for part in (light, dark):
        assert "--pico-primary-background: #ffd400;" in part
        assert "--pico-primary-inverse: #000000;" in part
    assert "--pico-primary: #ffd400;" in dark
    assert "--pico-primary: #ffd400;" not in light


@pytest.mark.parametrize(("media_type", "content"), PICTURES.items())
def test_a_picture_is_told_by_its_content(media_type: str, content: bytes) -> None:
    assert picture_type(content) == media_type


@pytest.mark.parametrize(
    "content", [b"", b"<svgx>", b"<html><svg>", b"RIFF1234WAVE", b"\x89PNG", b"<!-- <svg> -->"]
)
def test_what_is_no_picture_is_none(content: bytes) -> None:
    assert picture_type(content) is None


@pytest.mark.parametrize(("media_type", "content"), PICTURES.items())
def test_the_logo_is_served_for_good_and_runs_nothing(
    tmp_path: Path, sqlite_url: str, media_type: str, content: bytes
) -> None:
    logo = tmp_path / "logo"
    logo.write_bytes(content)
    with (
        pages_app(tmp_path, sqlite_url, brand_logo=logo, brand_name="Vogel & Söhne") as app,
        app.browser() as browser,
    ):
        picture = re.search(
            r'<img class="logo" src="([^"]+)" alt="([^"]+)">', browser.get("/").text
        )
        assert picture
        assert picture[2] == "Vogel &amp; Söhne"
        answer = browser.get(picture[1])
        assert answer.content == content
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert browser.get("/look/logo?v=0").headers["cache-control"] == "no-cache"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        if media_type == "image/svg+xml":
            assert policy == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def test_the_colour_and_the_logo_are_on_public_pages_and_in_the_console(
    tmp_path: Path, sqlite_url: str
) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    look = {"brand_logo": tmp_path / "logo.png", "brand_color": "#ffd400"}
    with pages_app(tmp_path, sqlite_url, **look) as app, app.signed_in() as browser:
        paths = ("/", "/thanks/" + "A" * 26, "/console/sign-in", "/console", "/console/account")
        for path in paths:
            page = browser.get(path).text
            assert re.search(r'<img class="logo" src="/look/logo\?v=\w{12}" alt="Notion">', page)
            address = re.search(r'<link rel="stylesheet" href="(/look\.css\?v=\w{12})">', page)
            assert address
        style = browser.get(address[1])
        assert style.headers["content-type"] == "text/css; charset=utf-8"
        assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert style.text == style_sheet("#ffd400")


def test_without_settings_there_is_no_look(served: PagesApp) -> None:
    with served.browser() as browser:
        for path in ("/look.css", "/look/logo"):
            assert browser.get(path).status_code == 404
        assert "<strong>Notion</strong>" in browser.get("/").text
