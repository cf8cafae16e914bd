"""Users: oneself, and all of them for administrators."""

from typing import Any

from fastapi import APIRouter, Request, Response

from notion_backend.application.accounts.users import UserChange
from notion_backend.presentation.api.query_rules import CheckedQuery
from notion_backend.presentation.api.schemas import Cursor, Limit, PageOf, UserId, link
from notion_backend.presentation.api.user_schemas import (
    OwnPasswordIn,
    UserChangeIn,
    UserIn,
    UserOut,
)
from notion_backend.presentation.authentication import AdminActor, CurrentActor
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.problem import BODY_PROBLEMS, problem_responses

_LOCATION = {
    "headers": {
        "Location": {
            "description": "The address of the new user.",
            "required": True,
            "schema": {"type": "string", "format": "uri-reference"},
        }
    }
}
router = APIRouter(prefix="/users", tags=["Users"], dependencies=[CheckedQuery])


@router.get(
    "/me",
    summary="Oneself",
    response_model=UserOut,
    responses=problem_responses(400, 401, 422, 503),
)
def get_me(actor: CurrentActor, services: ServicesDep) -> Any:
    """Return the signed-in user."""
    return services.users.me(actor)


@router.put(
    "/me/password",
    status_code=204,
    summary="Change one's own password",
    responses=problem_responses(*BODY_PROBLEMS, 401, 429, 503),
)
def change_my_password(body: OwnPasswordIn, actor: CurrentActor, services: ServicesDep) -> None:
    """Set a new password and end all sessions of this user, this one too."""
    services.passwords.change(actor, body.current_password, body.new_password)


@router.get(
    "",
    summary="All users",
    response_model=PageOf[UserOut],
    responses=problem_responses(400, 401, 403, 422, 503),
)
def list_users(
    actor: AdminActor, services: ServicesDep, limit: Limit = 50, cursor: Cursor = None
) -> Any:
    """Return users in the order they were made; for administrators."""
    return services.users.page(actor, cursor, limit)


@router.post(
    "",
    status_code=201,
    summary="Create a user",
    response_model=UserOut,
    responses={
        201: link("get_user", "user_id", "/id") | _LOCATION,
        **problem_responses(*BODY_PROBLEMS, 401, 403, 409, 503),
    },
)
def create_user(
    body: UserIn, actor: AdminActor, services: ServicesDep, request: Request, response: Response
) -> Any:
    """Store a new user; for administrators. Without a password an invitation goes out by mail."""
    user = services.users.create(actor, **body.model_dump())
    response.headers["Location"] = str(request.app.url_path_for("get_user", user_id=user.id))
    return user


@router.get(
    "/{user_id:number}",
    summary="One user",
    response_model=UserOut,
    responses=problem_responses(400, 401, 403, 404, 422, 503),
)
def get_user(user_id: UserId, actor: AdminActor, services: ServicesDep) -> Any:
    """Return one user; for administrators."""
    return services.users.get(actor, user_id)


@router.patch(
    "/{user_id:number}",
    summary="Change a user",
    response_model=UserOut,
    responses=problem_responses(*BODY_PROBLEMS, 401, 403, 404, 409, 503),
)
def change_user(
    user_id: UserId, body: UserChangeIn, actor: AdminActor, services: ServicesDep
) -> Any:
    """Disable or enable, appoint or correct a user; for administrators.

    The last administrator who can sign in stays one: 409 `last_administrator`.
    """
    return services.users.change(actor, user_id, UserChange(**body.model_dump()))
