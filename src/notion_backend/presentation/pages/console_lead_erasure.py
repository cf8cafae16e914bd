"""Erasing a lead, for administrators, behind a page that says what goes."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError, FieldError, InvalidInput
from notion_backend.core.sentences import say
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit
from notion_backend.presentation.pages.console_lead import LEAD_PATH, LeadId
from notion_backend.presentation.pages.console_page import DONE_FIELD, console_page

router = APIRouter(include_in_schema=False)

_PATH = LEAD_PATH + "/erase"
_CONFIRMED = "yes"


@router.get(_PATH)
def ask(request: Request, visit: Visit, services: ServicesDep, lead_id: LeadId) -> Response:
    """Say what would be erased, and ask whether that is meant."""
    visit.actor.require_admin()
    return _page(request, visit, services, lead_id)


@router.post(_PATH, dependencies=[SameOrigin])
def erase(
    request: Request, visit: Visit, form: Form, services: ServicesDep, lead_id: LeadId
) -> Response:
    """Erase the lead and lead on to the list."""
    visit.actor.require_admin()
    if form.get("confirmed") != _CONFIRMED:
        return _page(request, visit, services, lead_id, _not_confirmed())
    services.leads.erase(lead_id, visit.actor)
    return RedirectResponse(f"/console?{DONE_FIELD}=erased", status_code=303)


def _page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    lead_id: int,
    error: BusinessError | None = None,
) -> Response:
    values = {
        "lead": services.leads.get(lead_id),
        "mails": services.deliveries.of_lead(lead_id),
        "confirmed": _CONFIRMED,
    }
    return console_page(
        request, visit, services, "console/erase.html", values, error, section="/console"
    )


def _not_confirmed() -> InvalidInput:
    message = say("Tick the box to erase the lead for good.")
    return InvalidInput.of(FieldError("confirmed", "required", message))
