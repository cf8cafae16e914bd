"""What is sent to `POST /auth/token`: an OAuth2 form (RFC 6749 §4.3.2 and §6)."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.presentation.urlencoded_form import FORM_TYPE, read_urlencoded_form


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """A person signs in."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A client renews its tokens."""

    refresh_token: str


_GRANTS: dict[str, type[PasswordGrant | RefreshGrant]] = {
    "password": PasswordGrant,
    "refresh_token": RefreshGrant,
}
_FIELDS = {
    "password": ("username", "password"),
    "refresh_token": ("refresh_token",),
}
_NAMES = ("grant_type", "username", "password", "refresh_token")


async def read_grant(request: Request) -> PasswordGrant | RefreshGrant:
    """Return what the form asks for. `scope` and client credentials are not used.

    Raises:
        UnsupportedMediaType: it is neither a urlencoded form nor JSON.
        MalformedRequest: it cannot be read.
        InvalidInput: a field is missing, empty or there twice, the grant type is unknown, or it is
            JSON, which many clients send by mistake.
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        raise InvalidInput.of(
            FieldError("body", "form_required", f"Send an OAuth2 form as {FORM_TYPE}, not JSON.")
        )
    form = await read_urlencoded_form(request, _NAMES)
    grant_type = _required(form, "grant_type")
    if grant_type not in _GRANTS:
        known = " or ".join(_GRANTS)
        raise InvalidInput.of(
            FieldError("grant_type", "unsupported_grant_type", f"Send {known} as grant_type.")
        )
    return _GRANTS[grant_type](*(_required(form, name) for name in _FIELDS[grant_type]))


Grant = Annotated[PasswordGrant | RefreshGrant, Depends(read_grant)]


def _required(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise InvalidInput.of(FieldError(name, "required", f"Send {name}."))
    return form[name]


def _schema(title: str, grant_type: str) -> dict[str, Any]:
    fields = _FIELDS[grant_type]
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "title": title,
        "required": ["grant_type", *fields],
        "properties": {
            "grant_type": {"type": "string", "enum": [grant_type]},
            **dict.fromkeys(fields, text),
            "scope": {"type": "string", "description": "Not used."},
        },
    }


DESCRIPTION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "oneOf": [
                        _schema("Sign in", "password"),
                        _schema("Renew", "refresh_token"),
                    ]
                }
            }
        },
    }
}
"""For OpenAPI, which cannot see a form that is read by hand."""
