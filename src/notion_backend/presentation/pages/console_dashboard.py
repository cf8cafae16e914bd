"""The dashboard: how many leads come, how fast they are worked, whether mail flows."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.charts import (
    draw_contacts,
    draw_days,
    draw_parts,
    spell_duration,
)
from notion_backend.presentation.pages.console_access import Visit
from notion_backend.presentation.pages.console_page import console_page

router = APIRouter(include_in_schema=False)

DASHBOARD_PATH = "/console/dashboard"


@router.get(DASHBOARD_PATH)
def dashboard(request: Request, visit: Visit, services: ServicesDep) -> Response:
    """Show the figures as pictures, and as tables for who cannot see them."""
    figures = services.statistics.current()
    median, oldest = figures.median_first_contact_seconds, figures.oldest_pending
    values = {
        "figures": figures,
        "days": draw_days(figures.leads_by_day),
        "states": draw_parts(figures.leads_by_state.items()),
        "contacts": draw_contacts(figures.first_contacts),
        "first_contact": None if median is None else spell_duration(median),
        "waits": spell_duration((figures.at - oldest.created_at).total_seconds())
        if oldest
        else None,
    }
    return console_page(
        request, visit, services, "console/dashboard.html", values, section=DASHBOARD_PATH
    )
