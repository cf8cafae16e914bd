"""The frame in which a résumé is shown: it holds no data, and has no rights."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.presentation.content_security import PREVIEW_POLICY
from notion_backend.presentation.pages.console_access import Visit
from notion_backend.presentation.pages.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/console/preview")
def preview(request: Request, _: Visit) -> Response:
    """Return the empty frame; the page around it hands it the file."""
    return page(request, "console/preview.html", {}, policy=PREVIEW_POLICY)
