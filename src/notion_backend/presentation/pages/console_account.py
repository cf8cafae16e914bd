"""Passwords: one's own, and the one that a link in a mail lets choose."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError, FieldError, InvalidInput
from notion_backend.core.languages import known_language
from notion_backend.presentation.authentication import SignInLimit
from notion_backend.presentation.content_security import SCRIPTED_PAGE_POLICY
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.page_language import LANGUAGE_COOKIE
from notion_backend.presentation.pages.console_access import (
    SIGN_IN_PATH,
    Form,
    OpenForm,
    SameOrigin,
    Visit,
    with_language,
    without_cookie,
)
from notion_backend.presentation.pages.console_page import console_page
from notion_backend.presentation.pages.rendering import form_page

router = APIRouter(include_in_schema=False)

ACCOUNT_PATH = "/console/account"
PASSWORD_PATH = "/console/password"  # noqa: S105 - an address, not a secret
_DONE = f"{SIGN_IN_PATH}?changed=yes"


@router.get(ACCOUNT_PATH)
def account(request: Request, visit: Visit, services: ServicesDep, done: str = "") -> Response:
    """Show who is signed in, where, and what they can change of it."""
    return _account_page(request, visit, services, done=done)


@router.post(ACCOUNT_PATH, dependencies=[SameOrigin])
def change(request: Request, visit: Visit, form: Form, services: ServicesDep) -> Response:
    """Change one's own password; every session ends with it, this one too."""
    current, new = form.get("current_password", ""), form.get("new_password", "")
    try:
        services.passwords.change(visit.actor, current, new)
    except BusinessError as error:
        return _account_page(request, visit, services, error)
    return without_cookie(request, RedirectResponse(_DONE, status_code=303))


@router.post(ACCOUNT_PATH + "/language", dependencies=[SameOrigin])
def choose_language(request: Request, visit: Visit, form: Form, services: ServicesDep) -> Response:
    """Keep the language of the console in this browser, or forget it."""
    code = form.get("language", "")
    language = known_language(code)
    if code and language is None:
        mistake = FieldError("language", "enum", "Choose one of these languages.")
        return _account_page(request, visit, services, InvalidInput.of(mistake))
    answer = RedirectResponse(f"{ACCOUNT_PATH}?done=language", status_code=303)
    return with_language(request, answer, language)


@router.post(ACCOUNT_PATH + "/sessions", dependencies=[SameOrigin])
def end_other_sessions(visit: Visit, _: Form, services: ServicesDep) -> Response:
    """Sign oneself out everywhere else."""
    services.live_sessions.end_others(visit.actor)
    return RedirectResponse(f"{ACCOUNT_PATH}?done=sessions", status_code=303)


@router.get(PASSWORD_PATH)
def choose(request: Request) -> Response:
    """Show the page that links in mails lead to; its script puts the link's token into the form."""
    return _password_page(request)


@router.post(PASSWORD_PATH, dependencies=[SameOrigin, SignInLimit])
def set_chosen(request: Request, form: OpenForm, services: ServicesDep) -> Response:
    """Set the password that the token lets choose, once."""
    token = form.get("token", "").strip()
    try:
        services.passwords.confirm_reset(token, form.get("password", ""), client_address(request))
    except BusinessError as error:
        return _password_page(request, token, error)
    return RedirectResponse(_DONE, status_code=303)


def _account_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    error: BusinessError | None = None,
    *,
    done: str = "",
) -> Response:
    values = {
        "user": services.users.me(visit.actor),
        "sessions": services.live_sessions.of(visit.actor),
        "chosen_language": request.cookies.get(LANGUAGE_COOKIE, ""),
        "done": done,
    }
    return console_page(
        request, visit, services, "console/account.html", values, error, section=ACCOUNT_PATH
    )


def _password_page(
    request: Request, token: str = "", error: BusinessError | None = None
) -> Response:
    return form_page(
        request, "console/password.html", {"token": token}, error, policy=SCRIPTED_PAGE_POLICY
    )
