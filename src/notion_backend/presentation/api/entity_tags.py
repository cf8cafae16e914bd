"""Entity tags of leads, and the conditions that requests name with them (RFC 9110 §8.8, §13.1)."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import WithJsonSchema
from starlette.responses import Response

_TAG = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*')


def _if_match(
    request: Request,
    _: Annotated[
        str | None,
        WithJsonSchema({"type": "string"}),
        Header(
            alias="If-Match",
            description="Entity tags; the change is made only if the lead is still at one of them.",
        ),
    ] = None,
) -> list[str] | None:
    return request.headers.getlist("if-match") or None


def _if_none_match(
    request: Request,
    _: Annotated[
        str | None,
        WithJsonSchema({"type": "string"}),
        Header(
            alias="If-None-Match",
            description="Entity tags; 304 if the lead is still at one of them.",
        ),
    ] = None,
) -> list[str]:
    return request.headers.getlist("if-none-match")


IfMatch = Annotated[list[str] | None, Depends(_if_match)]
"""The lines of this header; None where there is none, which is no condition."""

IfNoneMatch = Annotated[list[str], Depends(_if_none_match)]
"""The lines of this header."""


def tag_of(lead_id: int, version: int) -> str:
    """Return the strong tag of a lead at this version."""
    return f'"{lead_id}-{version}"'


def expected_versions(if_match: Sequence[str] | None, lead_id: int) -> frozenset[int] | None:
    """Return the versions of this lead that `If-Match` lets through; None lets all through.

    A weak tag never matches (RFC 9110 §13.1.1), nor does what cannot be read.
    """
    if if_match is None:
        return None
    tags = _tags(if_match)
    if "*" in tags:
        return None
    found = (re.fullmatch(rf'"{lead_id}-([1-9][0-9]{{0,9}})"', tag) for tag in tags)
    return frozenset(int(match[1]) for match in found if match)


def not_modified(tag: str, if_none_match: Sequence[str]) -> Response | None:
    """Return the answer to a client that has what `tag` names; None if it has something else.

    Tags are compared weakly (RFC 9110 §13.1.2).
    """
    tags = _tags(if_none_match)
    if "*" in tags or tag in {known.removeprefix("W/") for known in tags}:
        return Response(status_code=304, headers={"ETag": tag})
    return None


def _tags(lines: Sequence[str]) -> list[str]:
    text = ",".join(lines)
    if text.strip() == "*":
        return ["*"]
    # A comma may stand inside a tag, so the list cannot simply be split.
    return [match[1] for match in _TAG.finditer(text)]
