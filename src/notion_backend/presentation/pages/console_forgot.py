"""A forgotten password: asking for a mail whose link lets one choose a new one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.fields.personal_fields import clean_email
from notion_backend.core.errors import BusinessError, RateLimited
from notion_backend.presentation.authentication import limit_sign_ins
from notion_backend.presentation.dependencies import ServicesDep, SettingsDep
from notion_backend.presentation.pages.console_access import OpenForm, SameOrigin
from notion_backend.presentation.pages.rendering import form_page

router = APIRouter(include_in_schema=False)

FORGOT_PATH = "/console/forgot"


async def _over_limit(request: Request, settings: SettingsDep) -> RateLimited | None:
    """Count a try as the sign-in does; return the refusal, for the page to show."""
    try:
        await limit_sign_ins(request, settings)
    except RateLimited as error:
        return error
    return None


@router.get(FORGOT_PATH)
def show(request: Request, sent: str = "") -> Response:
    """Show the empty form, or that a mail goes out if there is somebody to get it."""
    return _forgot_page(request, sent=bool(sent))


@router.post(FORGOT_PATH, dependencies=[SameOrigin])
def ask(
    request: Request,
    over_limit: Annotated[RateLimited | None, Depends(_over_limit)],
    form: OpenForm,
    services: ServicesDep,
) -> Response:
    """Answer alike whether or not anybody has this address; who has it gets a mail."""
    email = form.get("email", "")
    try:
        if over_limit:
            raise over_limit
        # Text that is no address is nobody's, so that it is wrong may be told.
        services.passwords.request_reset(clean_email("email", email))
    except BusinessError as error:
        return _forgot_page(request, email, error)
    return RedirectResponse(f"{FORGOT_PATH}?sent=yes", status_code=303)


def _forgot_page(
    request: Request, email: str = "", error: BusinessError | None = None, *, sent: bool = False
) -> Response:
    return form_page(request, "console/forgot.html", {"email": email, "sent": sent}, error)
