"""Leads as staff work them."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from notion_backend.application.resumes.resume_kinds import DOC, DOCX, ODT, PDF, RTF, TXT
from notion_backend.application.services import Services
from notion_backend.presentation.api.entity_tags import (
    IfMatch,
    IfNoneMatch,
    expected_versions,
    not_modified,
    tag_of,
)
from notion_backend.presentation.api.lead_parameters import ExportParameters, ListParameters
from notion_backend.presentation.api.lead_schemas import EventOut, LeadOut, LeadPatch, write_page
from notion_backend.presentation.api.query_rules import (
    CheckedQuery,
    check_query,
    described_query,
    read_query,
)
from notion_backend.presentation.api.schemas import Cursor, LeadId, Limit, PageOf, link
from notion_backend.presentation.authentication import (
    SIGNED_IN,
    AdminActor,
    CurrentActor,
    actor_of,
)
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.downloads import Download, export_download, resume_download
from notion_backend.presentation.plain_route import PlainRoute
from notion_backend.presentation.problem import BODY_PROBLEMS, problem_responses

router = APIRouter(tags=["Leads"], dependencies=[CheckedQuery])
plain = APIRouter(tags=["Leads"], route_class=PlainRoute)

_FILE = {"schema": {"type": "string", "format": "binary"}}
_ETAG: dict[str, Any] = {
    "headers": {
        "ETag": {
            "description": "This version.",
            "required": True,
            "schema": {"type": "string", "pattern": '^"[0-9]+-[0-9]+"$'},
        }
    }
}
_ATTACHED: dict[str, Any] = {
    "headers": {
        "Content-Disposition": {
            "description": "An attachment, with the file's name (RFC 6266).",
            "required": True,
            "schema": {"type": "string", "pattern": "^attachment; filename="},
        }
    }
}
_NOT_MODIFIED: dict[int | str, Any] = {
    304: {"description": "`If-None-Match` names this version.", **_ETAG}
}


@plain.get(
    "/leads",
    summary="List and search leads",
    response_model=PageOf[LeadOut],
    responses={
        200: link("get_lead", "lead_id", "/items/0/id"),
        **problem_responses(400, 401, 422, 503),
    },
    openapi_extra={"parameters": described_query(ListParameters), "security": SIGNED_IN},
)
async def list_leads(request: Request) -> Response:
    """Return the leads that all filters let through.

    A lead that nobody changes meanwhile is on exactly one page, however many arrive.
    """
    await check_query(request)
    # Who asks and what is found in one thread: a change of threads costs as much as either.
    page = await to_thread.run_sync(_page, request)
    return Response(page, media_type="application/json")


def _page(request: Request) -> bytes:
    services: Services = request.app.state.services
    actor_of(request, services)
    asked = read_query(request, ListParameters)
    return write_page(services.leads.page(asked.query(), asked.cursor, asked.limit))


@router.get(
    "/leads/export",
    summary="Export leads as a file",
    response_class=Response,
    responses={
        200: {
            "description": "CSV (RFC 4180, CRLF), in which a cell that a spreadsheet would run as "
            "a formula begins with an apostrophe, or a JSON object a line.",
            "content": {"text/csv": _FILE, "application/x-ndjson": _FILE},
            **_ATTACHED,
        },
        **problem_responses(400, 401, 422, 503),
    },
)
def export_leads(
    actor: CurrentActor,
    services: ServicesDep,
    asked: Annotated[ExportParameters, Query()],
) -> Download:
    """Stream the leads that all filters let through, in the order asked for."""
    pieces = services.exporter.export(asked.query(), asked.format, actor)
    return export_download(pieces, asked.format)


@router.get(
    "/leads/{lead_id:number}",
    summary="One lead",
    response_model=LeadOut,
    responses={200: _ETAG, **_NOT_MODIFIED, **problem_responses(400, 401, 404, 422, 503)},
)
def get_lead(
    lead_id: LeadId,
    _: CurrentActor,
    services: ServicesDep,
    response: Response,
    if_none_match: IfNoneMatch,
) -> Any:
    """Return one lead, its version as `ETag`."""
    lead = services.leads.get(lead_id)
    tag = tag_of(lead.id, lead.version)
    response.headers["ETag"] = tag
    return not_modified(tag, if_none_match) or lead


@router.patch(
    "/leads/{lead_id:number}",
    summary="Work a lead, or correct it",
    response_model=LeadOut,
    responses={200: _ETAG, **problem_responses(*BODY_PROBLEMS, 401, 404, 412, 503)},
)
def change_lead(
    lead_id: LeadId,
    body: LeadPatch,
    actor: CurrentActor,
    services: ServicesDep,
    response: Response,
    if_match: IfMatch,
) -> Any:
    """Move a lead to another state, or correct a typing error.

    What it is already is not recorded again. Back to `PENDING` needs a reason.
    """
    expected = expected_versions(if_match, lead_id)
    lead = services.leads.change(lead_id, body.change(), actor, expected)
    response.headers["ETag"] = tag_of(lead.id, lead.version)
    return lead


@router.delete(
    "/leads/{lead_id:number}",
    status_code=204,
    summary="Erase a lead",
    responses=problem_responses(400, 401, 403, 404, 422, 503),
)
def erase_lead(lead_id: LeadId, actor: AdminActor, services: ServicesDep) -> None:
    """Erase a lead with its résumé, mails, history and idempotency record; for administrators.

    An event without personal data remains. On SQLite its bytes in the files are overwritten before
    this answers; on a 503 the lead is gone, and the same request again removes its bytes.
    """
    services.leads.erase(lead_id, actor)


@router.get(
    "/leads/{lead_id:number}/resume",
    summary="Download a résumé",
    response_class=Response,
    responses={
        200: {
            "description": "The file, byte for byte, as an attachment under its own name. Ranges "
            "are not served.",
            "content": dict.fromkeys((PDF, DOC, DOCX, ODT, RTF, TXT), _FILE),
            **_ATTACHED,
        },
        **problem_responses(400, 401, 404, 422, 503),
    },
)
def download_resume(lead_id: LeadId, actor: CurrentActor, services: ServicesDep) -> Download:
    """Return the file and record who has read it; code `no_resume` for imported leads."""
    return resume_download(services.leads.open_resume(lead_id, actor))


@router.get(
    "/leads/{lead_id:number}/events",
    summary="What happened to a lead",
    response_model=PageOf[EventOut],
    responses=problem_responses(400, 401, 404, 422, 503),
)
def list_lead_events(
    lead_id: LeadId,
    _: CurrentActor,
    services: ServicesDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """Return who did what when, oldest first, downloads of the résumé included."""
    return services.leads.events(lead_id, cursor, limit)
