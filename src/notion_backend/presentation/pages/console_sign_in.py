"""Signing in to the console and out of it."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.core.errors import BusinessError
from notion_backend.presentation.authentication import SignInLimit
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.pages.console_access import (
    SIGN_IN_PATH,
    Form,
    OpenForm,
    SameOrigin,
    Visit,
    cookie_name,
    with_cookie,
    without_cookie,
)
from notion_backend.presentation.pages.rendering import form_page

router = APIRouter(include_in_schema=False)

HOME = "/console"
_LONGEST_NEXT = 2000
# A page of the console by its own path: no dots, no second slash, nothing that names a host.
_NEXT = re.compile(r"/console(?:/[a-z0-9-]+)*(?:\?[!-~]*)?")


@router.get(SIGN_IN_PATH)
def show(request: Request, next: str = HOME, changed: str = "") -> Response:  # noqa: A002
    """Show the empty form."""
    values = {"next": local_page(next), "username": "", "password_changed": bool(changed)}
    return form_page(request, "console/sign_in.html", values, None)


@router.post(SIGN_IN_PATH, dependencies=[SameOrigin, SignInLimit])
def sign_in(request: Request, form: OpenForm, services: ServicesDep) -> Response:
    """Begin a session under a new cookie, whatever cookie came along."""
    login = form.get("username", "")
    target = local_page(form.get("next", HOME))
    try:
        cookie = services.console_sessions.sign_in(
            login,
            form.get("password", ""),
            client_address(request),
            replaces=request.cookies.get(cookie_name(request)),
        )
    except BusinessError as error:
        values = {"next": target, "username": login, "password_changed": False}
        return form_page(request, "console/sign_in.html", values, error)
    return with_cookie(request, RedirectResponse(target, status_code=303), cookie)


@router.post("/console/sign-out", dependencies=[SameOrigin])
def sign_out(request: Request, visit: Visit, _: Form, services: ServicesDep) -> Response:
    """End this session."""
    services.console_sessions.sign_out(request.cookies[cookie_name(request)], visit.actor)
    return without_cookie(request, RedirectResponse(SIGN_IN_PATH, status_code=303))


def local_page(text: str) -> str:
    """Return `text` if it is a page of the console, else the console's first (ASVS V3.7.2)."""
    return text if len(text) <= _LONGEST_NEXT and _NEXT.fullmatch(text) else HOME
