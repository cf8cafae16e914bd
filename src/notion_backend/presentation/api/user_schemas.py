"""What users look like in requests and answers."""

from pydantic import MISSING, BaseModel, ConfigDict, Field, StrictBool

from notion_backend.core.enums import Role
from notion_backend.presentation.api.described_fields import (
    PASSWORD_RULE,
    Email,
    NewPassword,
    Username,
)
from notion_backend.presentation.api.schemas import Timestamp


class UserOut(BaseModel):
    """Somebody of the firm who signs in."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": 2,
                "username": "zoe",
                "email": "zoe@example.com",
                "role": "staff",
                "disabled": False,
                "created_at": "2026-11-23T09:30:00.123456Z",
                "last_login_at": None,
            }
        },
    )

    id: int
    username: str
    email: str
    role: Role
    disabled: bool
    created_at: Timestamp
    last_login_at: Timestamp | None


class UserIn(BaseModel):
    """A new user. Without a password they get an invitation by mail."""

    model_config = ConfigDict(extra="forbid")

    username: Username = Field(
        description="1 to 150 characters without `@` and spaces; kept folded to lower case.",
        examples=["zoe"],
    )
    email: Email
    role: Role = Role.STAFF
    password: NewPassword | MISSING = Field(default=MISSING, description=PASSWORD_RULE)


class UserChangeIn(BaseModel):
    """What is to be different; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    email: Email | MISSING = MISSING
    role: Role | MISSING = MISSING
    disabled: StrictBool | MISSING = MISSING


class OwnPasswordIn(BaseModel):
    """The present password, and the one that is to be."""

    model_config = ConfigDict(extra="forbid")

    current_password: str
    new_password: NewPassword = Field(description=PASSWORD_RULE)
