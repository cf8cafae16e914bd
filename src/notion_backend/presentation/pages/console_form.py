"""How the public form is reached, and put into the firm's own site."""

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.core.config import Settings
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Visit
from notion_backend.presentation.pages.console_page import console_page
from notion_backend.presentation.pages.embedding import EMBED_PATH

router = APIRouter(include_in_schema=False)

FORM_PAGE_PATH = "/console/form"


@router.get(FORM_PAGE_PATH)
def form(request: Request, visit: Visit, services: ServicesDep) -> Response:
    """Show the form's address, what to paste into a site, and what guards the form."""
    settings: Settings = request.app.state.settings
    values = {
        "address": f"{settings.base_url}/",
        # Part of what is pasted, which the page shows as text: so once more, and by itself.
        "frame_title": escape(settings.brand_name),
        "script_address": f"{settings.base_url}{EMBED_PATH}",
        "origins": settings.embed_origins,
        "proof_is_on": settings.form_proof_of_work == "on",
        "min_seconds": settings.form_min_seconds,
    }
    return console_page(
        request, visit, services, "console/form.html", values, section=FORM_PAGE_PATH
    )
