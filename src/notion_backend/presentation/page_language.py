"""The language that a page is shown in: chosen by the person, else asked for by the browser."""

from starlette.requests import Request

from notion_backend.core.config import Settings
from notion_backend.core.languages import Language, known_language, preferred_language

LANGUAGE_FIELD = "lang"
"""In the address of a page: a choice that holds for this page and those behind it."""
LANGUAGE_COOKIE = "language"
"""A choice that holds in the whole console; no personal data."""


def page_language(request: Request) -> Language:
    """Return the language of the page that answers this request."""
    settings: Settings = request.app.state.settings
    return (
        chosen_language(request)
        or known_language(request.cookies.get(LANGUAGE_COOKIE))
        or preferred_language(_asked_for(request), settings.default_language)
    )


def chosen_language(request: Request) -> Language | None:
    """Return the language that the address of the page names; None if it names none of ours.

    `de-AT` and `DE` name German, as they do in a header.
    """
    code, _, _region = request.query_params.get(LANGUAGE_FIELD, "").partition("-")
    return known_language(code.lower())


def _asked_for(request: Request) -> str:
    return ",".join(request.headers.getlist("accept-language"))
