"""The public form in pages of other sites: the script that puts it there."""

from fastapi import APIRouter
from starlette.responses import FileResponse

from notion_backend.presentation.pages.static_files import static_file

router = APIRouter(include_in_schema=False)

EMBED_PATH = "/embed.js"
# Under one address for ever, so it is asked for again soon; other sites may load it.
_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get(EMBED_PATH)
def embed() -> FileResponse:
    """Return the script that a site puts where the form shall stand."""
    return FileResponse(
        static_file("embed.js"), media_type="text/javascript; charset=utf-8", headers=_HEADERS
    )
