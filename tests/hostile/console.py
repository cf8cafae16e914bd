"""The console as a browser uses it."""

import re
from html import unescape

import httpx

from tests.hostile.target import Target
from tests.service.client import ADMIN_PASSWORD

CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


def browser(target: Target, **cookies: str) -> httpx.Client:
    """Open a browser that is not signed in."""
    return target.client(**cookies)


def signed_in(target: Target) -> httpx.Client:
    """Open the browser of the administrator, who signs in once for all tests."""
    if not target.console_cookies:
        with browser(target) as client:
            assert sign_in(client, "admin", ADMIN_PASSWORD).status_code == 303
            target.console_cookies.update(client.cookies)
    return browser(target, **target.console_cookies)


def sign_in(client: httpx.Client, user: str, password: str, **fields: str) -> httpx.Response:
    """Send the sign-in form, as its own page does."""
    return client.post(
        "/console/sign-in",
        data={"username": user, "password": password, **fields},
        headers={"Origin": str(client.base_url).rstrip("/")},
    )


def csrf_token(page: str) -> str:
    """Find the token of the forms of a page."""
    found = CSRF.search(page)
    assert found, page
    return unescape(found[1])
