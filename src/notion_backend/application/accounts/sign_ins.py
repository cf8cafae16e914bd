"""How a sign-in begins, at the API and at the console alike."""

from datetime import datetime, timedelta

from notion_backend.application.accounts.account_events import account_event
from notion_backend.application.accounts.credentials import VerifiedUser, invalid_credentials
from notion_backend.core.ids import new_row_id
from notion_backend.data.models import Session
from notion_backend.data.unit_of_work import UnitOfWork


def begin_session(
    work: UnitOfWork,
    verified: VerifiedUser,
    *,
    now: datetime,
    lifetime: timedelta,
    address: str | None,
    cookie_hash: str | None = None,
) -> Session:
    """Store a new session, and what there is to note of its sign-in; the caller commits.

    Raises:
        NotAuthenticated: the password was changed, or the user disabled, while it was verified.
    """
    user = verified.user
    if not work.users.record_sign_in(
        user.id, verified.verified_hash, at=now, new_hash=verified.upgraded_hash
    ):
        raise invalid_credentials()
    work.sessions.forget_over(user.id, now)
    session = Session(
        id=new_row_id(),
        user_id=user.id,
        created_at=now,
        expires_at=now + lifetime,
        last_seen_at=now,
        cookie_hash=cookie_hash,
    )
    work.sessions.add(session)
    work.events.add(
        account_event("auth.signed_in", at=now, by=user.username, user_id=user.id, address=address)
    )
    return session
