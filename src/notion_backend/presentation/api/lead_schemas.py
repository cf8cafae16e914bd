"""Leads and what happened to them, as the API shows and takes them."""

from datetime import datetime
from typing import Self

from pydantic import MISSING, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError, to_json

from notion_backend.application.leads.lead_rules import LONGEST_REASON, LeadChange
from notion_backend.application.leads.leads import LeadPage
from notion_backend.core.clock import write_moment
from notion_backend.core.enums import LeadState
from notion_backend.presentation.api.described_fields import Email, PersonName, Reason
from notion_backend.presentation.api.schemas import Timestamp

_NAME_RULE = "1 to 255 characters after trimming, none that controls, hides or turns text."
_LEAD_EXAMPLE: JsonDict = {
    "id": 17,
    "reference": "7Q4M0T2ZK9V1XB6C8N3RDHW5EJ",
    "first_name": "Zoë",
    "last_name": "Ångström",
    "email": "zoe@example.com",
    "state": "REACHED_OUT",
    "resume": {
        "filename": "résumé.pdf",
        "media_type": "application/pdf",
        "size": 20480,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "created_at": "2026-11-23T09:30:00.123456Z",
    "updated_at": "2026-11-23T11:02:41.000001Z",
    "reached_out_at": "2026-11-23T11:02:41.000001Z",
    "reached_out_by": "ada",
    "flags": [],
}
_EVENT_EXAMPLE: JsonDict = {
    "id": 40,
    "at": "2026-11-23T11:02:41.000001Z",
    "actor": "ada",
    "action": "lead.reached_out",
    "detail": "",
    "address": "203.0.113.7",
}


class FlagOut(BaseModel):
    """Something unusual about a lead."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(description="Stable.")
    reason: str = Field(description="For people.")


class ResumeOut(BaseModel):
    """What is known of a résumé; its content has a route of its own."""

    model_config = ConfigDict(from_attributes=True)

    filename: str
    media_type: str = Field(description="Told by the content, not by the name.")
    size: int = Field(description="In bytes.")
    sha256: str = Field(description="In hexadecimal.")


class LeadOut(BaseModel):
    """A person who wrote to the firm."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _LEAD_EXAMPLE})

    id: int
    reference: str = Field(description="What the prospect was told; it cannot be guessed.")
    first_name: str
    last_name: str
    email: str
    state: LeadState
    resume: ResumeOut | None = Field(description="Null for imported leads.")
    created_at: Timestamp
    updated_at: Timestamp
    reached_out_at: Timestamp | None
    reached_out_by: str | None = Field(description="A username.")
    flags: list[FlagOut]


def write_page(page: LeadPage) -> bytes:
    """Write a page of leads as `PageOf[LeadOut]` would, in a fifth of the time.

    What comes from our own rows is not checked again.
    """
    items = [
        {
            "id": lead.id,
            "reference": lead.reference,
            "first_name": lead.first_name,
            "last_name": lead.last_name,
            "email": lead.email,
            "state": lead.state.value,
            "resume": lead.resume_sha256
            and {
                "filename": lead.resume_filename,
                "media_type": lead.resume_media_type,
                "size": lead.resume_size,
                "sha256": lead.resume_sha256,
            },
            "created_at": _writable(lead.created_at),
            "updated_at": _writable(lead.updated_at),
            "reached_out_at": lead.reached_out_at and _writable(lead.reached_out_at),
            "reached_out_by": lead.reached_out_by,
            "flags": lead.flags,
        }
        for lead in page.items
    ]
    return to_json({"items": items, "next_cursor": page.next_cursor})


def _writable(moment: datetime) -> datetime | str:
    """Leave a moment to Pydantic, which is quicker, but for the zeros that it leaves out."""
    return moment if moment.microsecond else write_moment(moment)


class EventOut(BaseModel):
    """Who did what when, and from where."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _EVENT_EXAMPLE})

    id: int
    at: Timestamp
    actor: str = Field(description="A username, `prospect` or `shell`.")
    action: str = Field(description="Stable.", examples=["lead.reached_out", "resume.downloaded"])
    detail: str
    address: str | None = Field(description="The client's network address.")


class LeadPatch(BaseModel):
    """What is to be changed; what is left out stays as it is, and null is no value."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "minProperties": 1,
            "dependentRequired": {"reason": ["state"]},
            "if": {"properties": {"state": {"const": "PENDING"}}, "required": ["state"]},
            "then": {"required": ["reason"]},
            "example": {"state": "REACHED_OUT"},
        },
    )

    state: LeadState | MISSING = MISSING
    reason: Reason | MISSING = Field(
        default=MISSING,
        description="Why a lead goes back to PENDING: needed for that, 1 to "
        f"{LONGEST_REASON} characters, line breaks allowed.",
    )
    first_name: PersonName | MISSING = Field(default=MISSING, description=_NAME_RULE)
    last_name: PersonName | MISSING = Field(default=MISSING, description=_NAME_RULE)
    email: Email | MISSING = Field(default=MISSING, description="One address, 254 octets at most.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "Name at least one field to change.")
        if "reason" in self.model_fields_set and "state" not in self.model_fields_set:
            raise PydanticCustomError("reason_alone", "Name the state that the reason is for.")
        return self

    def change(self) -> LeadChange:
        """Return what is asked for as the application takes it."""
        return LeadChange(**self.model_dump())
