"""One lead with its story, and what staff do with it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.leads.lead_rules import LeadChange
from notion_backend.application.services import Services
from notion_backend.core.enums import LeadState
from notion_backend.core.errors import BusinessError, FieldError, InvalidInput, NotFound
from notion_backend.presentation.api.schemas import LARGEST_ID
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.downloads import resume_download
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit
from notion_backend.presentation.pages.console_page import console_page

router = APIRouter(include_in_schema=False)

_ONE = "/console/leads/{lead_id}"


def _lead_id(lead_id: str) -> int:
    """Read the number in the address; what is none names no lead."""
    if lead_id.isascii() and lead_id.isdigit() and len(lead_id) <= len(str(LARGEST_ID)):
        number = int(lead_id)
        if 1 <= number <= LARGEST_ID:
            return number
    raise NotFound("There is no such lead.")


_LeadId = Annotated[int, Depends(_lead_id)]


@router.get(_ONE)
def lead(
    request: Request, visit: Visit, services: ServicesDep, lead_id: _LeadId, events: str = ""
) -> Response:
    """Show a lead, its mails and its history."""
    return _lead_page(request, visit, services, lead_id, events=events)


@router.get(_ONE + "/resume")
def resume(visit: Visit, services: ServicesDep, lead_id: _LeadId) -> Response:
    """Return the file and record who has read it."""
    return resume_download(services.leads.open_resume(lead_id, visit.actor))


@router.post(_ONE + "/state", dependencies=[SameOrigin])
def change_state(
    request: Request, visit: Visit, form: Form, services: ServicesDep, lead_id: _LeadId
) -> Response:
    """Mark a lead as reached out, or as pending again for a reason."""
    change = LeadChange(state=_state(form.get("state", "")), reason=form.get("reason"))
    try:
        services.leads.change(lead_id, change, visit.actor)
    except InvalidInput as error:
        return _lead_page(
            request, visit, services, lead_id, error=error, reason=form.get("reason", "")
        )
    return RedirectResponse(f"/console/leads/{lead_id}", status_code=303)


def _lead_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    lead_id: int,
    *,
    events: str = "",
    reason: str = "",
    error: BusinessError | None = None,
) -> Response:
    values = {
        "lead": services.leads.get(lead_id),
        "mails": services.deliveries.of_lead(lead_id),
        "events": services.leads.events(lead_id, events or None),
        "reason": reason,
    }
    return console_page(
        request, visit, services, "console/lead.html", values, error, section="/console"
    )


def _state(text: str) -> LeadState:
    try:
        return LeadState(text)
    except ValueError:
        raise InvalidInput.of(
            FieldError("state", "enum", f"Choose one of {', '.join(LeadState)}.")
        ) from None
