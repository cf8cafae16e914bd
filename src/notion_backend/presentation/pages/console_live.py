"""The stream by which the console hears that something has happened."""

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.live import MEDIA_TYPE, LiveStreams
from notion_backend.presentation.pages.console_access import LIVE_PATH, Watching, cookie_name

router = APIRouter(include_in_schema=False)


@router.get(LIVE_PATH)
async def live(request: Request, visit: Watching, services: ServicesDep) -> Response:
    """Stream an event whenever something has happened, as long as the session lasts."""
    streams: LiveStreams = request.app.state.live_streams
    cookie, address = request.cookies.get(cookie_name(request)), client_address(request)

    def still_signed_in() -> None:
        services.console_sessions.visit(cookie, address, is_use=False)

    stream = streams.open(str(visit.actor.session_id), still_signed_in)
    # Some proxies gather an answer before they hand it on, unless they are told not to.
    return StreamingResponse(stream, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
