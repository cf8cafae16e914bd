"""Events about users and sign-ins. They name a user by number: no login, no address of theirs."""

from datetime import datetime

from notion_backend.application.actor import Actor
from notion_backend.data.models import Event

NOBODY = "anonymous"
SYSTEM = "system"


def account_event(
    action: str,
    *,
    at: datetime,
    by: Actor | str,
    user_id: int | None,
    detail: str = "",
    address: str | None = None,
) -> Event:
    """Return the event that `action` was done to a user.

    Args:
        action: such as `user.disabled`.
        at: when.
        by: who did it; an actor brings the address along.
        user_id: whose account; None when there is no such account.
        detail: what else there is to say; nothing that a client typed.
        address: where the request came from, if `by` is a plain name.
    """
    whom = "no such user" if user_id is None else f"user {user_id}"
    return Event(
        lead_id=None,
        at=at,
        actor=by.username if isinstance(by, Actor) else by,
        action=action,
        detail=f"{whom}: {detail}" if detail else whom,
        address=by.address if isinstance(by, Actor) else address,
    )
