"""The delivery ledger."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from notion_backend.application.delivery.deliveries import LeadDeliveries
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.presentation.api.query_rules import CheckedQuery
from notion_backend.presentation.api.schemas import Cursor, LeadId, Limit, PageOf, Timestamp, link
from notion_backend.presentation.authentication import CurrentActor
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.problem import BODY_PROBLEMS, problem_responses

router = APIRouter(tags=["Deliveries"], dependencies=[CheckedQuery])


DeliveryId = Annotated[UUID, Path(description="The mail's id.")]
OptionalStatus = Annotated[
    DeliveryStatus | None,
    BeforeValidator(lambda text: text or None),
    WithJsonSchema({"type": "string", "enum": [*DeliveryStatus, ""]}),
    Query(description="Only mails in this status; empty for all."),
]

_EXAMPLE: JsonDict = {
    "id": "01934a1e-5c2b-7d31-8a44-3f1f0a6d2b10",
    "lead_id": 17,
    "kind": "prospect_confirmation",
    "recipient": "zoe@example.com",
    "status": "SENT",
    "attempts": 1,
    "last_reply": "250 2.0.0 Ok: queued",
    "next_attempt_at": None,
    "sent_at": "2026-11-23T09:30:02.500000Z",
    "created_at": "2026-11-23T09:30:00.123456Z",
}
_ATTEMPT: JsonDict = {
    "at": "2026-11-23T09:30:02.500000Z",
    "stage": "sent",
    "reply": "250 2.0.0 Ok: queued",
}


class DeliveryOut(BaseModel):
    """A mail and where it stands."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _EXAMPLE})

    id: UUID
    lead_id: int | None
    kind: DeliveryKind
    recipient: str
    status: DeliveryStatus
    attempts: int
    last_reply: str | None = Field(description="The server's words, or why it is held.")
    next_attempt_at: Timestamp | None
    sent_at: Timestamp | None
    created_at: Timestamp


class AttemptOut(BaseModel):
    """One try of a mail."""

    model_config = ConfigDict(from_attributes=True)

    at: Timestamp
    stage: str = Field(description="How far it came.", examples=["sent", "rcpt", "dot"])
    reply: str


class LoggedDeliveryOut(DeliveryOut):
    """A mail with every attempt."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_extra={"example": {**_EXAMPLE, "attempt_log": [_ATTEMPT]}}
    )

    attempt_log: list[AttemptOut]


class RetryManyIn(BaseModel):
    """Which mails to send again."""

    model_config = ConfigDict(extra="forbid")

    status: DeliveryStatus = Field(examples=["FAILED"])


class RetryManyOut(BaseModel):
    """How many mails were queued again."""

    retried: int = Field(examples=[3])


@router.get(
    "/leads/{lead_id:number}/deliveries",
    summary="Mails of a lead",
    response_model=PageOf[LoggedDeliveryOut],
    responses=problem_responses(400, 401, 404, 422, 503),
)
def list_lead_deliveries(
    lead_id: LeadId,
    services: ServicesDep,
    _: CurrentActor,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """Return the mails of a lead, oldest first, with every attempt and the server's replies."""
    found = services.deliveries.of_lead(lead_id, cursor, limit)
    return {"items": _logged(found), "next_cursor": found.next_cursor}


@router.get(
    "/deliveries",
    summary="All mails",
    response_model=PageOf[DeliveryOut],
    responses={
        200: link("retry_delivery", "delivery_id", "/items/0/id"),
        **problem_responses(400, 401, 422, 503),
    },
)
def list_deliveries(
    services: ServicesDep,
    _: CurrentActor,
    status: OptionalStatus = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """Return mails, newest first."""
    return services.deliveries.page(status, cursor, limit)


@router.post(
    "/deliveries/retry",
    status_code=202,
    summary="Send all of a status again",
    response_model=RetryManyOut,
    responses=problem_responses(*BODY_PROBLEMS, 401, 409, 503),
)
def retry_deliveries(body: RetryManyIn, services: ServicesDep, actor: CurrentActor) -> Any:
    """Make every mail of this status due now."""
    return {"retried": services.deliveries.retry_all(actor, body.status)}


@router.post(
    "/deliveries/{delivery_id}/retry",
    status_code=202,
    summary="Send one again",
    response_model=DeliveryOut,
    responses=problem_responses(400, 401, 404, 409, 422, 503),
)
def retry_delivery(delivery_id: DeliveryId, services: ServicesDep, actor: CurrentActor) -> Any:
    """Make a FAILED, HELD or QUEUED mail due now, under its old Message-ID."""
    return services.deliveries.retry(actor, delivery_id)


def _logged(found: LeadDeliveries) -> list[dict[str, Any]]:
    return [
        {
            **DeliveryOut.model_validate(delivery).model_dump(),
            "attempt_log": found.attempts[delivery.id],
        }
        for delivery in found.deliveries
    ]
