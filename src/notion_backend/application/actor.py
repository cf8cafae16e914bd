"""Who is acting: what services need to know of the signed-in user or the shell."""

from dataclasses import dataclass
from uuid import UUID

from notion_backend.core.enums import Role
from notion_backend.core.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something, as known at this very request."""

    username: str
    role: Role
    user_id: int | None = None
    """None for the shell of the machine, which may do everything."""
    session_id: UUID | None = None
    address: str | None = None
    """Where the request came from; kept with events."""

    def require_admin(self) -> None:
        """Refuse everybody but administrators.

        Raises:
            PermissionDenied: before anything is read or changed.
        """
        if self.role is not Role.ADMIN:
            raise PermissionDenied("Only an administrator may do this; ask one.")


SHELL = Actor(username="shell", role=Role.ADMIN)
