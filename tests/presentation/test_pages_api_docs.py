"""The viewers of the API's description."""

import re
from pathlib import Path

import pytest

from tests.presentation.pages_app import pages_app


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_viewer_loads_only_what_we_serve(tmp_path: Path, sqlite_url: str, path: str) -> None:
    with pages_app(tmp_path, sqlite_url) as app, app.browser() as browser:
        page = browser.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "http" not in policy
        addresses = re.findall(r'(?:href|src|data-document)="([^"]+)"', page.text)
        assert len(addresses) >= 4
        for address in addresses:
            assert browser.get(address).status_code == 200, address
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=", page.text)
        assert browser.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_without_api_docs_there_is_nothing(tmp_path: Path, sqlite_url: str) -> None:
    with pages_app(tmp_path, sqlite_url, api_docs="off") as app, app.browser() as browser:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert browser.get(path).status_code == 404
