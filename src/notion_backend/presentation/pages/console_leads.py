"""The console's list of leads."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.application.leads.exports import ExportFormat
from notion_backend.core.errors import NotFound
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.downloads import export_download
from notion_backend.presentation.pages.console_access import Visit, wants_part
from notion_backend.presentation.pages.console_page import console_page
from notion_backend.presentation.pages.lead_list import LIST_PATH, LeadList

router = APIRouter(include_in_schema=False)

_PAGE_SIZE = 50


@router.get(LIST_PATH)
def leads(request: Request, visit: Visit, services: ServicesDep, cursor: str = "") -> Response:
    """Show a page of leads, newest first unless another order is asked for.

    A script that searches or refreshes gets the part of the page that changes.
    """
    asked = LeadList.asked(request)
    values = {
        # Before the leads are read: what comes meanwhile is missed by neither.
        "mark": services.changes.mark(),
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
