"""The console's list of leads, and one lead with its story."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.leads.exports import ExportFormat
from notion_backend.application.leads.lead_rules import LeadChange
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError, InvalidInput, NotFound
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.downloads import export_download, resume_download
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit, wants_part
from notion_backend.presentation.pages.console_page import console_page
from notion_backend.presentation.pages.lead_list import LIST_PATH, LeadList, read_state
from notion_backend.presentation.pages.numbers import number_in_address

router = APIRouter(include_in_schema=False)

_PAGE_SIZE = 50
_ONE = "/console/leads/{lead_id}"


def _lead_id(lead_id: str) -> int:
    return number_in_address(lead_id, "There is no such lead.")


_LeadId = Annotated[int, Depends(_lead_id)]


@router.get(LIST_PATH)
def leads(request: Request, visit: Visit, services: ServicesDep, cursor: str = "") -> Response:
    """Show a page of leads, newest first unless another order is asked for.

    A script that searches or refreshes gets the part of the page that changes.
    """
    asked = LeadList.asked(request)
    values = {
        "list": asked,
        "leads": services.leads.page(asked.query, cursor or None, _PAGE_SIZE),
        "cursor": cursor,
        "figures": services.statistics.at_hand(),
    }
    name = "console/leads_found.html" if wants_part(request) else "console/leads.html"
    answer = console_page(request, visit, services, name, values, section=LIST_PATH)
    answer.headers["Vary"] = "HX-Request"
    return answer


@router.get("/console/leads/export")
def export(request: Request, visit: Visit, services: ServicesDep, format: str = "csv") -> Response:  # noqa: A002
    """Return the leads of a list as a file and record who has exported them."""
    if format not in set(ExportFormat):
        raise NotFound("Leads are exported as csv or as jsonl.")
    asked, file_format = LeadList.asked(request), ExportFormat(format)
    pieces = services.exporter.export(asked.query, file_format, visit.actor)
    return export_download(pieces, file_format)


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
    change = LeadChange(state=read_state(form.get("state", "")), reason=form.get("reason"))
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
