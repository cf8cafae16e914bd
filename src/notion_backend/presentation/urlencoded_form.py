"""Reads `application/x-www-form-urlencoded` bodies (URL standard §5.1), strictly."""

from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.requests import Request

from notion_backend.core.errors import (
    FieldError,
    InvalidInput,
    MalformedRequest,
    UnsupportedMediaType,
)
from notion_backend.core.sentences import say

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 20


async def read_urlencoded_form(request: Request, names: Collection[str]) -> dict[str, str]:
    """Return those of the fields `names` that were sent; others are ignored.

    Only `&` separates fields (PYSEC-2026-3037). How long the body may be is the business of
    `BodyGuard`.

    Raises:
        UnsupportedMediaType: the body is of another type.
        MalformedRequest: it is not UTF-8, or has too many fields.
        InvalidInput: a field came twice.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the form as {FORM_TYPE}.")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
            separator="&",
        )
    except ValueError:
        raise MalformedRequest(
            say("Send at most {most} fields, in UTF-8.", most=MAX_FIELDS)
        ) from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidInput.of(
                FieldError(name, "duplicate", say("Send {name} once.", name=name))
            )
        if name in names:
            fields[name] = value
    return fields
