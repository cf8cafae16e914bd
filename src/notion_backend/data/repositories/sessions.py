"""Sign-ins and their refresh tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, delete, select, update
from sqlalchemy.orm import Session as DatabaseSession

from notion_backend.data.bulk import table_of
from notion_backend.data.models import RefreshToken, Session, User

_SESSIONS, _USERS = table_of(Session), table_of(User)
_WHO = (
    select(_USERS.c.id.label("user_id"), _USERS.c.username, _USERS.c.role)
    .join(_SESSIONS, _SESSIONS.c.user_id == _USERS.c.id)
    .where(
        _SESSIONS.c.id == bindparam("session"),
        _SESSIONS.c.revoked_at.is_(None),
        _SESSIONS.c.expires_at > bindparam("now"),
        _USERS.c.disabled.is_(False),
    )
)


class SessionRepository:
    """Reads and writes `sessions` and `refresh_tokens`."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    def add(self, session: Session) -> None:
        """Store a new sign-in."""
        self._session.add(session)
        # Nothing relates the two tables for the ORM, so it would not know which comes first.
        self._session.flush()

    def add_refresh_token(self, token: RefreshToken) -> None:
        """Store a token of a session that is stored."""
        self._session.add(token)

    def who(self, session_id: UUID, now: datetime) -> Row[*tuple[Any, ...]] | None:
        """Return `user_id`, `username` and `role` of a session that is neither over nor revoked.

        None also when the user is disabled. Asked at each request, so it is built once.
        """
        return self._session.connection().execute(_WHO, {"session": session_id, "now": now}).first()

    def alive_by_refresh_token(self, token_hash: str, now: datetime) -> tuple[Session, User] | None:
        """Return the session that a refresh token belongs to, with its user, as `who` judges."""
        owner = select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash)
        return self._alive(Session.id == owner.scalar_subquery(), now)

    def alive_by_cookie(self, cookie_hash: str, now: datetime) -> tuple[Session, User] | None:
        """Return the session of a console's cookie, with its user, as `who` judges."""
        return self._alive(Session.cookie_hash == cookie_hash, now)

    def of_user(self, user_id: int, now: datetime) -> Sequence[Session]:
        """Return the sessions of a user that are neither over nor revoked, the newest first."""
        return self._session.scalars(
            select(Session)
            .where(
                Session.user_id == user_id,
                Session.revoked_at.is_(None),
                Session.expires_at > now,
            )
            .order_by(Session.created_at.desc(), Session.id)
        ).all()

    def touch(self, session_id: UUID, at: datetime) -> None:
        """Write down that a session was used."""
        self._session.execute(
            update(Session).where(Session.id == session_id).values(last_seen_at=at)
        )

    def forget_cookie(self, cookie_hash: str) -> None:
        """Delete the session of a console's cookie."""
        self._session.execute(delete(Session).where(Session.cookie_hash == cookie_hash))

    def use_refresh_token(self, token_hash: str, at: datetime) -> bool:
        """Mark a token as used; False when it was before, or never was one.

        Of many at the same moment one alone gets True: the database decides by the row.
        """
        used = self._session.connection().execute(
            update(RefreshToken)
            .where(RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None))
            .values(used_at=at)
        )
        return used.rowcount == 1

    def revoke(self, session_id: UUID, at: datetime) -> bool:
        """End a session and all its tokens; False when somebody did so before."""
        return self._revoke(Session.id == session_id, at) == 1

    def revoke_all_of(self, user_id: int, at: datetime, *, but: UUID | None = None) -> int:
        """End every session of a user, `but` excepted; return how many had not ended before."""
        chosen = Session.user_id == user_id
        return self._revoke(chosen if but is None else chosen & (Session.id != but), at)

    def forget_over(self, user_id: int, now: datetime) -> None:
        """Delete the sessions of a user that have reached their end, with their tokens."""
        self._session.execute(
            delete(Session).where(Session.user_id == user_id, Session.expires_at <= now)
        )

    def _alive(self, condition: ColumnElement[bool], now: datetime) -> tuple[Session, User] | None:
        row = self._session.execute(
            select(Session, User)
            .join(User, User.id == Session.user_id)
            .where(
                condition,
                Session.revoked_at.is_(None),
                Session.expires_at > now,
                User.disabled.is_(False),
            )
        ).one_or_none()
        return None if row is None else (row[0], row[1])

    def _revoke(self, condition: ColumnElement[bool], at: datetime) -> int:
        revoked = self._session.connection().execute(
            update(Session).where(condition, Session.revoked_at.is_(None)).values(revoked_at=at)
        )
        return revoked.rowcount
