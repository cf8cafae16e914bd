"""Pieces that the schemas and parameters of several routes share."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor

from notion_backend.core.clock import write_moment

Item = TypeVar("Item")
LARGEST_ID = 2**63 - 1


Timestamp = Annotated[
    datetime,
    PlainSerializer(write_moment, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-23T09:30:00.123456Z"]},
        mode="serialization",
    ),
]
"""A moment in UTC, RFC 3339."""


class Number(Convertor[str]):
    """Digits in an address; what number they make, and whether it is too large, is seen later."""

    regex = "[0-9]{1,19}"

    def convert(self, value: str) -> str:
        """Leave the digits as they are."""
        return value

    def to_string(self, value: str | int) -> str:
        """Write the number."""
        return str(value)


# What merely looks like the address of one lead or user, as `/users/me`, is never taken for it.
register_url_convertor("number", Number())

LeadId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The lead's id.")]
UserId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The user's id.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most.")]
Cursor = Annotated[
    str | None,
    BeforeValidator(lambda text: text or None),
    WithJsonSchema({"type": "string", "format": "cursor", "pattern": "^[A-Za-z0-9_-]*$"}),
    Query(
        description="`next_cursor` of the page before, as it is; empty or left out for the first. "
        "It is sealed: what is made up, cut or of another list is refused."
    ),
]


def link(operation: str, parameter: str, pointer: str) -> dict[str, Any]:
    """Describe that `operation` takes as `parameter` what is at `pointer` in this answer."""
    value = f"$response.body#{pointer}"
    return {"links": {operation: {"operationId": operation, "parameters": {parameter: value}}}}


class PageOf(BaseModel, Generic[Item]):
    """Some items of a list."""

    model_config = ConfigDict(from_attributes=True)

    items: list[Item]
    next_cursor: str | None
