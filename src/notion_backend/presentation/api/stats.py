"""Figures."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from notion_backend.core.enums import DeliveryStatus, LeadState
from notion_backend.presentation.api.query_rules import CheckedQuery
from notion_backend.presentation.api.schemas import Timestamp
from notion_backend.presentation.authentication import CurrentActor
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.problem import problem_responses

router = APIRouter(tags=["Statistics"], dependencies=[CheckedQuery])


class DayCountOut(BaseModel):
    """The leads that arrived on one UTC day."""

    model_config = ConfigDict(from_attributes=True)

    day: date = Field(examples=["2026-11-23"])
    count: int


class OldestPendingOut(BaseModel):
    """The lead that has waited longest."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: Timestamp


class MailHealthOut(BaseModel):
    """Whether mail flows."""

    model_config = ConfigDict(from_attributes=True)

    by_status: dict[DeliveryStatus, int] = Field(
        description="Mails in each status.",
        examples=[{"QUEUED": 0, "SENDING": 0, "SENT": 84, "FAILED": 1, "HELD": 2}],
    )
    oldest_due_at: Timestamp | None = Field(
        description="Since when the longest waiting mail could have been sent."
    )
    workers: int = Field(description="Delivery workers that are alive.")
    stopped: bool = Field(
        description="Nothing goes out: the mail server refuses everything, or no worker is alive."
    )
    trouble: str | None = Field(
        description="Why it has stopped, in a sentence; null while mail flows.",
        examples=["The mail server cannot be used: connect: Connection refused"],
    )


class StatsOut(BaseModel):
    """The figures as they were at `at`."""

    model_config = ConfigDict(from_attributes=True)

    at: Timestamp = Field(description="At most 60 seconds ago.")
    leads_by_state: dict[LeadState, int] = Field(examples=[{"PENDING": 12, "REACHED_OUT": 30}])
    leads_by_day: list[DayCountOut] = Field(
        description="30 UTC days, the oldest first, today last; days without a lead included."
    )
    median_first_contact_seconds: float | None = Field(
        description="From arrival to first contact, over the leads that are REACHED_OUT.",
        examples=[5423.5],
    )
    oldest_pending: OldestPendingOut | None
    mail: MailHealthOut


@router.get(
    "/stats",
    summary="Leads and mail in figures",
    response_model=StatsOut,
    responses=problem_responses(400, 401, 422, 503),
)
def read_statistics(_: CurrentActor, services: ServicesDep) -> Any:
    """Return counts by state and day, how fast leads are worked, and whether mail flows."""
    return services.statistics.current()
