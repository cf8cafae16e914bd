"""Who sends a request to the API, and how often one client may try to sign in."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from notion_backend.application.actor import Actor
from notion_backend.application.services import Services
from notion_backend.core.errors import NotAuthenticated
from notion_backend.presentation.dependencies import ServicesDep, SettingsDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.rate_limits import RateLimiter, client_key

TOKEN_URL = "/api/v1/auth/token"  # noqa: S105 - an address, not a secret

# For the description alone, so that "Authorize" in /docs works; the header is read below.
_SCHEME = "Bearer"
_described = OAuth2PasswordBearer(
    TOKEN_URL,
    scheme_name=_SCHEME,
    description="Sign in with username, or e-mail address, and password.",
    refreshUrl=TOKEN_URL,
    auto_error=False,
)


SIGNED_IN: Sequence[Mapping[str, Sequence[str]]] = [{_SCHEME: []}]
"""How a plain route describes that one must be signed in (OpenAPI, Security Requirement)."""


def authenticate(
    request: Request, services: ServicesDep, _: Annotated[str | None, Depends(_described)]
) -> Actor:
    """Return who sent the bearer token; see `actor_of`."""
    return actor_of(request, services)


def actor_of(request: Request, services: Services) -> Actor:
    """Return who sent the bearer token (RFC 6750 §2.1), as stored at this very moment.

    Raises:
        NotAuthenticated: there is not exactly one, or it is not good.
    """
    headers = request.headers.getlist("authorization")
    scheme, _space, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send one header `Authorization: Bearer` with an access token.")
    return services.auth.authenticate(token.strip(" "), client_address(request))


CurrentActor = Annotated[Actor, Depends(authenticate)]
"""Whoever is signed in."""


async def require_admin(actor: CurrentActor) -> Actor:
    """Return the actor if it is an administrator; asked before the body is looked at.

    Raises:
        PermissionDenied: it is not.
    """
    actor.require_admin()
    return actor


AdminActor = Annotated[Actor, Depends(require_admin)]
"""An administrator."""


async def limit_sign_ins(request: Request, settings: SettingsDep) -> None:
    """Count a try to sign in, or to choose a password, before any work is done for it.

    Raises:
        RateLimited: LOGIN_RATE_LIMIT is used up for this client.
    """
    limiter: RateLimiter = request.app.state.rate_limiter
    await limiter.hit("login", client_key(client_address(request)), settings.login_rate_limit)


SignInLimit = Depends(limit_sign_ins)
