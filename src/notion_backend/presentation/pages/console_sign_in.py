"""Signing in to the console and out of it."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.core.errors import BusinessError, NotAuthenticated
from notion_backend.core.sentences import say
from notion_backend.presentation.authentication import SignInLimit
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.pages.console_access import (
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
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


class SigningInFailed(NotAuthenticated):
    """Name and password do not belong together; which of them is wrong, nobody learns."""

    code = "invalid_credentials"
    title = say("Signing in failed.")

    def __init__(self) -> None:
        super().__init__(say("Check the user name or e-mail address and the password."))


@router.get(SIGN_IN_PATH)
def show(
    request: Request,
    next: str = HOME,  # noqa: A002
    changed: str = "",
    ended: str = "",
) -> Response:
    """Show the empty form, and what has happened to the session before."""
    return _sign_in_page(
        request, local_page(next), password_changed=bool(changed), session_ended=bool(ended)
    )


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
    except NotAuthenticated:
        return _sign_in_page(request, target, login, SigningInFailed())
    except BusinessError as error:
        return _sign_in_page(request, target, login, error)
    return with_cookie(request, RedirectResponse(target, status_code=303), cookie)


@router.post(SIGN_OUT_PATH, dependencies=[SameOrigin])
def sign_out(request: Request, visit: Visit, _: Form, services: ServicesDep) -> Response:
    """End this session."""
    services.console_sessions.sign_out(request.cookies[cookie_name(request)], visit.actor)
    return without_cookie(request, RedirectResponse(SIGN_IN_PATH, status_code=303))


def local_page(text: str) -> str:
    """Return `text` if it is a page of the console, else the console's first (ASVS V3.7.2)."""
    return text if len(text) <= _LONGEST_NEXT and _NEXT.fullmatch(text) else HOME


def _sign_in_page(
    request: Request,
    target: str,
    login: str = "",
    error: BusinessError | None = None,
    *,
    password_changed: bool = False,
    session_ended: bool = False,
) -> Response:
    values = {
        "next": target,
        "username": login,
        "password_changed": password_changed,
        "session_ended": session_ended,
    }
    return form_page(request, "console/sign_in.html", values, error)
