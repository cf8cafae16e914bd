"""Signing in and out, and choosing a new password by mail."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from notion_backend.presentation.api.described_fields import PASSWORD_RULE, NewPassword
from notion_backend.presentation.api.token_requests import DESCRIPTION, Grant, PasswordGrant
from notion_backend.presentation.authentication import CurrentActor, SignInLimit
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.problem import BODY_PROBLEMS, problem_responses

router = APIRouter(prefix="/auth", tags=["Signing in"])


class TokensOut(BaseModel):
    """A pair of tokens (RFC 6749 §5.1)."""

    model_config = ConfigDict(from_attributes=True)

    access_token: str = Field(
        description="Send it as `Authorization: Bearer`.",
        examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"],
    )
    token_type: Literal["bearer"] = Field(default="bearer")
    expires_in: int = Field(description="Seconds until the access token ends.", examples=[900])
    refresh_token: str = Field(
        description="Good once; using it again ends the whole session.",
        examples=["Zk9xd2Y3dXBqM2s1bThxMnIwdDR2Nnk4YTFjM2U1ZzdpOWs"],
    )


class PasswordResetIn(BaseModel):
    """Whose password is forgotten."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=320, examples=["staff@example.com"])]


class NewPasswordIn(BaseModel):
    """The token of a mail, and the password that is to be."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(
        description="What stands behind `#token=` in the link of the mail.",
        examples=["c2VhbGVkWzIsImludml0YXRpb24iLDE3NjM4OTAyMDBd"],
    )
    password: NewPassword = Field(description=PASSWORD_RULE)


@router.post(
    "/token",
    summary="Sign in, or renew the tokens",
    response_model=TokensOut,
    responses=problem_responses(*BODY_PROBLEMS, 401, 429, 503),
    openapi_extra=DESCRIPTION,
    dependencies=[SignInLimit],
)
def create_tokens(grant: Grant, request: Request, response: Response, services: ServicesDep) -> Any:
    """Return a new pair for a password, or for a refresh token that was not used before.

    `username` may be the e-mail address. Every failure is answered alike.
    """
    response.headers["Cache-Control"] = "no-store"
    address = client_address(request)
    if isinstance(grant, PasswordGrant):
        return services.auth.sign_in(grant.username, grant.password, address)
    return services.auth.refresh(grant.refresh_token, address)


@router.post(
    "/logout",
    status_code=204,
    summary="Sign out",
    responses=problem_responses(401, 503),
)
def sign_out(actor: CurrentActor, services: ServicesDep) -> None:
    """End this session: none of its tokens is good any more."""
    services.auth.sign_out(actor)


@router.post(
    "/password-reset",
    status_code=202,
    summary="Ask for a mail to choose a new password",
    response_class=Response,
    responses=problem_responses(*BODY_PROBLEMS, 429, 503),
    dependencies=[SignInLimit],
)
def request_password_reset(body: PasswordResetIn, services: ServicesDep) -> Response:
    """Answer alike whether or not anybody has this address; who has it gets a mail."""
    services.passwords.request_reset(body.email)
    return Response(status_code=202)


@router.post(
    "/password-reset/confirm",
    status_code=204,
    summary="Choose a new password by the token of a mail",
    responses=problem_responses(*BODY_PROBLEMS, 429, 503),
    dependencies=[SignInLimit],
)
def confirm_password_reset(body: NewPasswordIn, request: Request, services: ServicesDep) -> None:
    """Set the password and end every session of the user; the token works once."""
    services.passwords.confirm_reset(body.token, body.password, client_address(request))
