"""The console's list of leads."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.core.enums import LeadState
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.lead_query import LeadQuery
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Visit
from notion_backend.presentation.pages.console_page import console_page

router = APIRouter(include_in_schema=False)

_PAGE_SIZE = 50


@router.get("/console")
def leads(
    request: Request,
    visit: Visit,
    services: ServicesDep,
    q: str = "",
    state: str = "",
    cursor: str = "",
) -> Response:
    """Show a page of leads, newest first."""
    found = services.leads.page(
        LeadQuery(state=_state(state) if state else None, q=q), cursor or None, _PAGE_SIZE
    )
    values = {"leads": found, "q": q, "state": state, "cursor": cursor}
    return console_page(request, visit, services, "console/leads.html", values, section="/console")


def _state(text: str) -> LeadState:
    try:
        return LeadState(text)
    except ValueError:
        raise InvalidInput.of(
            FieldError("state", "enum", f"Choose one of {', '.join(LeadState)}.")
        ) from None
