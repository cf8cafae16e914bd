"""Users, for administrators: who may sign in, and as what."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.accounts.users import UserChange
from notion_backend.application.services import Services
from notion_backend.core.enums import Role
from notion_backend.core.errors import BusinessError, Conflict, FieldError, InvalidInput
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit
from notion_backend.presentation.pages.console_page import console_page
from notion_backend.presentation.pages.labels import choose_one_of
from notion_backend.presentation.pages.numbers import number_in_address

router = APIRouter(include_in_schema=False)

USERS_PATH = "/console/users"
_YES_OR_NO = ("true", "false")
_ONE = USERS_PATH + "/{user_id}"


def _user_id(user_id: str) -> int:
    return number_in_address(user_id, "There is no such user.")


_UserId = Annotated[int, Depends(_user_id)]


@router.get(USERS_PATH)
def users(
    request: Request, visit: Visit, services: ServicesDep, cursor: str = "", done: str = ""
) -> Response:
    """Show the users in the order they were made, and the form that adds one."""
    return _users_page(request, visit, services, cursor=cursor, done=done)


@router.post(USERS_PATH, dependencies=[SameOrigin])
def create(request: Request, visit: Visit, form: Form, services: ServicesDep) -> Response:
    """Add a user, to whom an invitation goes out."""
    visit.actor.require_admin()
    username, email = form.get("username", ""), form.get("email", "")
    try:
        role = _role(form.get("role", ""))
        user = services.users.create(visit.actor, username, email, role)
    except (InvalidInput, Conflict) as error:
        typed = {"username": username, "email": email, "role": form.get("role", "")}
        return _users_page(request, visit, services, typed=typed, error=_at_its_field(error))
    return RedirectResponse(f"{USERS_PATH}/{user.id}?done=invited", status_code=303)


@router.get(_ONE)
def user(
    request: Request, visit: Visit, services: ServicesDep, user_id: _UserId, done: str = ""
) -> Response:
    """Show one user and what can be changed."""
    return _user_page(request, visit, services, user_id, done=done)


@router.post(_ONE, dependencies=[SameOrigin])
def change(
    request: Request, visit: Visit, form: Form, services: ServicesDep, user_id: _UserId
) -> Response:
    """Correct the e-mail address, or give another role."""
    visit.actor.require_admin()
    try:
        services.users.change(visit.actor, user_id, _changed(form))
    except (InvalidInput, Conflict) as error:
        return _user_page(request, visit, services, user_id, typed=form, error=_at_its_field(error))
    return _back(user_id, "changed")


@router.post(_ONE + "/disabled", dependencies=[SameOrigin])
def disable(
    request: Request, visit: Visit, form: Form, services: ServicesDep, user_id: _UserId
) -> Response:
    """Disable a user, which ends all their sessions, or enable them again."""
    try:
        disabled = _yes_or_no(form.get("disabled", ""))
        services.users.change(visit.actor, user_id, UserChange(disabled=disabled))
    except (InvalidInput, Conflict) as error:
        return _user_page(request, visit, services, user_id, error=error)
    return _back(user_id, "disabled" if disabled else "enabled")


@router.post(_ONE + "/password-link", dependencies=[SameOrigin])
def send_link(visit: Visit, _: Form, services: ServicesDep, user_id: _UserId) -> Response:
    """Send the user a mail whose link lets them choose a password."""
    services.passwords.request_reset(services.users.get(visit.actor, user_id).email)
    return _back(user_id, "linked")


@router.post(_ONE + "/sessions", dependencies=[SameOrigin])
def end_sessions(visit: Visit, _: Form, services: ServicesDep, user_id: _UserId) -> Response:
    """Sign the user out everywhere."""
    services.live_sessions.end_all_of(visit.actor, user_id)
    return _back(user_id, "signed_out")


def _users_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    *,
    cursor: str = "",
    done: str = "",
    typed: dict[str, str] | None = None,
    error: BusinessError | None = None,
) -> Response:
    values = {
        "users": services.users.page(visit.actor, cursor or None),
        "cursor": cursor,
        "done": done,
        "typed": {"username": "", "email": "", "role": Role.STAFF, **(typed or {})},
        "roles": tuple(Role),
    }
    return console_page(
        request, visit, services, "console/users.html", values, error, section=USERS_PATH
    )


def _user_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    user_id: int,
    *,
    done: str = "",
    typed: dict[str, str] | None = None,
    error: BusinessError | None = None,
) -> Response:
    user = services.users.get(visit.actor, user_id)
    values = {
        "user": user,
        "is_oneself": user.id == visit.actor.user_id,
        "done": done,
        "typed": {
            "email": user.email,
            "role": user.role,
            "shown_email": user.email,
            "shown_role": user.role,
            **(typed or {}),
        },
        "roles": tuple(Role),
    }
    return console_page(
        request, visit, services, "console/user.html", values, error, section=USERS_PATH
    )


def _back(user_id: int, done: str) -> Response:
    return RedirectResponse(f"{USERS_PATH}/{user_id}?done={done}", status_code=303)


def _changed(form: Mapping[str, str]) -> UserChange:
    """Return what differs from what the page showed: the rest may have changed meanwhile."""
    email, role = form.get("email", ""), form.get("role", "")
    return UserChange(
        email=None if email == form.get("shown_email") else email,
        role=None if role == form.get("shown_role") else _role(role),
    )


def _yes_or_no(text: str) -> bool:
    if text not in _YES_OR_NO:
        raise InvalidInput.of(FieldError("disabled", "enum", choose_one_of(_YES_OR_NO)))
    return text == "true"


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput.of(FieldError("role", "enum", "Choose one of these roles.")) from None


def _at_its_field(error: BusinessError) -> BusinessError:
    """Show what is taken already beside the field that it was typed in."""
    field = {"username_taken": "username", "email_taken": "email"}.get(error.reason)
    if field is None or error.errors:
        return error
    told = (FieldError(field, error.reason, error.detail),)
    return Conflict(error.detail, code=error.reason, errors=told)
