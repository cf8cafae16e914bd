"""`POST /leads`: the public door."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from notion_backend.core.enums import LeadState
from notion_backend.presentation.api.described_fields import EMAIL, PERSON_NAME, PLAIN_TEXT
from notion_backend.presentation.api.schemas import Timestamp
from notion_backend.presentation.form_parser import MAX_TEXT_PARTS
from notion_backend.presentation.intake_requests import read_submitted_form, submit_form
from notion_backend.presentation.plain_route import PlainRoute
from notion_backend.presentation.problem import BODY_PROBLEMS, problem_responses

router = APIRouter(tags=["Intake"], route_class=PlainRoute)

_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["first_name", "last_name", "email", "resume"],
    "additionalProperties": {"type": "string", "description": "Ignored."},
    "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,100}$"},
    "maxProperties": MAX_TEXT_PARTS,
    "properties": {
        "first_name": {**PERSON_NAME, "example": "Zoë"},
        "last_name": {**PERSON_NAME, "example": "Ångström"},
        "email": {**EMAIL, "example": "zoe@example.com"},
        "resume": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "minLength": 1,
            # JSON Schema speaks of text only, so this is the rule for TXT; bytes pass by it.
            "pattern": PLAIN_TEXT,
            "description": "PDF, DOC, DOCX, ODT, RTF or TXT, told by extension and by content. "
            "The pattern is that of TXT.",
            "example": "Ten years of sailing; seven knots.",
        },
    },
}
_REPLAYED = {
    "headers": {
        "Idempotent-Replayed": {
            "description": "There where this key was answered before.",
            "schema": {"type": "string", "enum": ["true"]},
        }
    }
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "1 to 255 visible ASCII characters; a repeat is answered, not stored.",
}
_ENCODING = {
    "resume": {
        "contentType": "application/octet-stream",
        "headers": {
            "Content-Disposition": {
                "description": "With the file's name, whose extension is one of these types'.",
                "schema": {"type": "string"},
                "example": 'form-data; name="resume"; filename="resume.txt"',
            }
        },
    }
}


class ReceiptOut(BaseModel):
    """What a prospect is told."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "reference": "7Q4M0T2ZK9V1XB6C8N3RDHW5EJ",
                "state": "PENDING",
                "created_at": "2026-11-23T09:30:00.123456Z",
            }
        },
    )

    reference: str
    state: LeadState
    created_at: Timestamp


@router.post(
    "/leads",
    status_code=201,
    summary="Submit the form",
    response_model=ReceiptOut,
    responses={201: _REPLAYED, **problem_responses(*BODY_PROBLEMS, 409, 429, 503)},
    openapi_extra={
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _FORM, "encoding": _ENCODING}},
        },
    },
)
async def submit_lead(request: Request) -> Response:
    """Take a lead with its résumé. The answer is sent once both, and their mails, are stored."""
    keys = request.headers.getlist("idempotency-key")
    # Several lines of one header are one list (RFC 9110 §5.3), and a list is no key.
    idempotency_key = ", ".join(keys) if keys else None
    with await read_submitted_form(request) as form:
        receipt = await submit_form(request, form, idempotency_key)
    return Response(
        ReceiptOut.model_validate(receipt).model_dump_json(),
        status_code=201,
        headers={"Idempotent-Replayed": "true"} if receipt.replayed else None,
        media_type="application/json",
    )
