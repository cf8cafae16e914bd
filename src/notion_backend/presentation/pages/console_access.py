"""Who may pass into the console: session cookie, same origin, token in every form."""

import re
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.services import Services
from notion_backend.core.config import Settings
from notion_backend.core.errors import NotAuthenticated, PermissionDenied, UnsupportedMediaType
from notion_backend.core.languages import Language
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.page_language import LANGUAGE_COOKIE
from notion_backend.presentation.urlencoded_form import read_urlencoded_form

SIGN_IN_PATH = "/console/sign-in"
SIGN_OUT_PATH = "/console/sign-out"
LIVE_PATH = "/console/live"
ENDED_FIELD = "ended"
"""In the address of the sign-in page: a form came too late, and nothing was done with it."""
CSRF_FIELD = "csrf_token"
REFRESH_HEADER = "x-refresh"
"""Sent when a page asks by itself for what it shows; nobody has done anything."""
_YEAR_SECONDS = 365 * 24 * 3600
# What pages with forms are called. What stands behind it in a form's address is what it does.
_FORM_PAGE = re.compile(
    r"/console/(?:leads/[0-9]+(?:/erase)?|users(?:/[0-9]+)?|mails|account)(?=/|\Z)"
)
_FIELDS = (
    CSRF_FIELD, "username", "password", "next", "token", "current_password", "new_password",
    "state", "reason", "version", "first_name", "last_name", "email", "confirmed",
    "status", "cursor", "lead_id", "role", "disabled", "language",
    "shown_email", "shown_role",
)  # fmt: skip


class SignInNeeded(Exception):
    """Nobody is signed in here, or not any more."""


def signed_in(request: Request, services: ServicesDep) -> ConsoleVisit:
    """Return who is signed in, as known at this very request.

    Raises:
        SignInNeeded: there is no session, or it has ended.
    """
    return _visit(request, services, is_use=not _asks_by_itself(request))


def watching(request: Request, services: ServicesDep) -> ConsoleVisit:
    """Return who is signed in, for a page that asks by itself: that keeps no session from ending.

    Raises:
        SignInNeeded: there is no session, or it has ended.
    """
    return _visit(request, services, is_use=False)


def same_origin(request: Request) -> None:
    """Refuse what another site's page has sent (ASVS V3.5.1, Fetch Metadata §2.4).

    Every browser names the origin of a POST. What names none is no browser, so no page can have
    made it act for somebody; the token in the form is asked for all the same.

    Raises:
        PermissionDenied: it comes from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if origin is None and (referer := request.headers.get("referer")):
        origin = _origin_of(referer)
    if site not in (None, "same-origin", "none") or origin not in (None, *_own_origins(request)):
        raise _foreign()


Watching = Annotated[ConsoleVisit, Depends(watching)]
Visit = Annotated[ConsoleVisit, Depends(signed_in)]
SameOrigin = Depends(same_origin)


async def open_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, whoever has sent it.

    Raises:
        PermissionDenied: the body is of a type that no form of ours sends.
        BusinessError: see `read_urlencoded_form`.
    """
    try:
        return await read_urlencoded_form(request, _FIELDS)
    except UnsupportedMediaType as error:
        raise _foreign() from error


OpenForm = Annotated[dict[str, str], Depends(open_form)]


async def checked_form(visit: Visit, fields: OpenForm) -> dict[str, str]:
    """Return the fields of a form that this session's own page has sent.

    Raises:
        PermissionDenied: it carries no token of this session.
    """
    if not visit.made(fields.pop(CSRF_FIELD, "")):
        raise PermissionDenied("This page is out of date; load it again.", code="csrf")
    return fields


Form = Annotated[dict[str, str], Depends(checked_form)]


async def lead_to_sign_in(request: Request, _: Exception) -> Response:
    """Answer SignInNeeded: on to the sign-in page, and from there back to what was asked for."""
    if request.url.path == LIVE_PATH:
        return Response(status_code=204)  # to a page that listens: do not try again (HTML §9.2.3)
    target = SIGN_IN_PATH
    if request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        target += f"?next={quote(request.url.path + query, safe='/')}"
    elif request.url.path != SIGN_OUT_PATH:  # whoever wanted to be signed out, is
        target += f"?{ENDED_FIELD}=yes&next={_page_of_form(request.url.path)}"
    if wants_part(request):
        # Into a part of a page the sign-in page does not fit: the whole page goes there.
        answer = Response(headers={"HX-Redirect": target})
    else:
        answer = RedirectResponse(target, status_code=303)
    # A page that asks by itself may be answered after somebody has signed in at another one.
    return answer if _asks_by_itself(request) else without_cookie(request, answer)


def wants_part(request: Request) -> bool:
    """Tell whether a script asks for a part of a page, to be put into the one that is there."""
    return request.headers.get("hx-request") == "true"


def cookie_name(request: Request) -> str:
    """Return the cookie's name: over https one that no other host or path can set (RFC 6265bis)."""
    return "__Host-session" if _over_tls(request) else "session"


def with_cookie(request: Request, response: Response, value: str) -> Response:
    """Let the browser keep the session until it is closed."""
    response.set_cookie(
        cookie_name(request),
        value,
        path="/",
        secure=_over_tls(request),
        httponly=True,
        samesite="lax",
    )
    return response


def without_cookie(request: Request, response: Response) -> Response:
    """Let the browser forget a session, if it has sent one."""
    name = cookie_name(request)
    if name in request.cookies:
        response.delete_cookie(
            name, path="/", secure=_over_tls(request), httponly=True, samesite="lax"
        )
    return response


def _visit(request: Request, services: Services, *, is_use: bool) -> ConsoleVisit:
    try:
        cookie = request.cookies.get(cookie_name(request))
        return services.console_sessions.visit(cookie, client_address(request), is_use=is_use)
    except NotAuthenticated as error:
        raise SignInNeeded from error


def with_language(request: Request, response: Response, language: Language | None) -> Response:
    """Let the browser keep the language of the console for a year; None lets it forget."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language or "",
        max_age=_YEAR_SECONDS if language else 0,
        path="/console",
        secure=_over_tls(request),
        httponly=True,
        samesite="lax",
    )
    return response


def _page_of_form(path: str) -> str:
    """Return the page that a form stands on which is sent to this path."""
    found = _FORM_PAGE.match(path)
    return found[0] if found else "/console"


def _asks_by_itself(request: Request) -> bool:
    is_refresh = REFRESH_HEADER in request.headers or request.url.path == LIVE_PATH
    return request.method == "GET" and is_refresh


def _foreign() -> PermissionDenied:
    return PermissionDenied("Send this form from its own page.", code="csrf")


def _over_tls(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    return settings.base_url.startswith("https://")


def _own_origins(request: Request) -> tuple[str, str]:
    settings: Settings = request.app.state.settings
    return (
        _origin_of(settings.base_url),
        f"{request.scope['scheme']}://{request.headers.get('host', '')}".lower(),
    )


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "null"
    return f"{parts.scheme}://{parts.netloc}".lower()
