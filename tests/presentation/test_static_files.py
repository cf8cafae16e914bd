"""Style sheets and scripts: compressed, kept, and read as they are where part of one is wanted."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from notion_backend.presentation.pages.static_files import static_url
from tests.presentation.pages_app import PagesApp

CSS = static_url("site.css")
FOLDER = Path(__file__).parents[2] / "src/notion_backend/presentation/pages/static"
PLAIN = (FOLDER / "site.css").read_bytes()


@pytest.fixture
def client(served: PagesApp) -> Iterator[httpx.Client]:
    with served.browser() as browser:
        yield browser


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_browser_gets_it_compressed(client: httpx.Client) -> None:
    answer, body = raw(client, CSS, **{"Accept-Encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(body) == PLAIN
    assert len(body) < len(PLAIN) / 2


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br"])
def test_who_takes_no_gzip_gets_it_as_it_is(client: httpx.Client, accepted: str) -> None:
    answer, body = raw(client, CSS, **{"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert body == PLAIN


def test_part_of_a_file_is_part_of_the_file_as_it_is(client: httpx.Client) -> None:
    answer, body = raw(client, CSS, **{"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
    assert (answer.status_code, body) == (206, PLAIN[:10])


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, accepted: str) -> None:
    first, _ = raw(client, CSS, **{"Accept-Encoding": accepted})
    headers = {"Accept-Encoding": accepted, "If-None-Match": first.headers["etag"]}
    again, body = raw(client, CSS, **headers)
    assert (again.status_code, body) == (304, b"")
    assert again.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["site.css", "console.css", "form.css"])
def test_every_block_of_our_styles_is_whole(name: str) -> None:
    depth = 0
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line and not line.startswith((" ", "}")):
            assert depth == 0, line
        depth += line.count("{") - line.count("}")
    assert depth == 0
