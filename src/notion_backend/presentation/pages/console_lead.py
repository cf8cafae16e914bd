"""One lead with its story."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.delivery.deliveries import RETRIABLE
from notion_backend.application.leads.lead_rules import may_undo
from notion_backend.application.leads.leads import MOST_COUNTED
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.downloads import resume_download
from notion_backend.presentation.pages.console_access import Visit
from notion_backend.presentation.pages.console_page import DONE_FIELD, console_page
from notion_backend.presentation.pages.numbers import number_in_address

router = APIRouter(include_in_schema=False)

LEAD_PATH = "/console/leads/{lead_id}"
REACHED_OUT = "reached_out"
"""What was done, where the page offers to undo it."""


def read_lead_id(lead_id: str) -> int:
    """Read a lead's number in an address or a form; what is none names no lead.

    Raises:
        NotFound: it is none.
    """
    return number_in_address(lead_id, "There is no such lead.")


LeadId = Annotated[int, Depends(read_lead_id)]


@router.get(LEAD_PATH)
def lead(
    request: Request,
    visit: Visit,
    services: ServicesDep,
    lead_id: LeadId,
    events: str = "",
    mails: str = "",
) -> Response:
    """Show a lead, its mails and its history."""
    return lead_page(request, visit, services, lead_id, events=events, mails=mails)


@router.get(LEAD_PATH + "/resume")
def resume(visit: Visit, services: ServicesDep, lead_id: LeadId) -> Response:
    """Return the file and record who has read it."""
    return resume_download(services.leads.open_resume(lead_id, visit.actor))


def lead_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    lead_id: int,
    error: BusinessError | None = None,
    *,
    typed: Mapping[str, str] | None = None,
    events: str = "",
    mails: str = "",
) -> Response:
    """Show a lead as it is now, with what was typed into a form that was refused with `error`.

    Raises:
        NotFound: there is no such lead.
        InvalidInput: `events` or `mails` is no cursor of these lists.
    """
    found = services.leads.get(lead_id)
    undoable = may_undo(found, visit.actor)
    values = {
        "lead": found,
        "neighbours": services.leads.neighbours(found),
        "most_counted": MOST_COUNTED,
        "mails": services.deliveries.of_lead(lead_id, mails or None),
        "retriable": RETRIABLE,
        "events": services.leads.latest_events(lead_id, events or None),
        "shows_latest": not events,
        "typed": typed or {},
        "just_marked": undoable and request.query_params.get(DONE_FIELD) == REACHED_OUT,
    }
    return console_page(
        request, visit, services, "console/lead.html", values, error, section="/console"
    )
