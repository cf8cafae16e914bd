"""Users."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from notion_backend.core.enums import Role
from notion_backend.data.models import User


class UserRepository:
    """Reads and writes `users`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user: User) -> None:
        """Store a new user; it has its id after the flush."""
        self._session.add(user)

    def get(self, user_id: int, *, lock: bool = False) -> User | None:
        """Return one user; with `lock` as stored now, and nobody else changes it before the commit.

        A user that was read before in this unit of work is read again.
        """
        query = select(User).where(User.id == user_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self._session.scalar(query)

    def by_username(self, username: str) -> User | None:
        """Return the user with this folded username."""
        return self._session.scalar(select(User).where(User.username == username))

    def by_email(self, folded: str) -> User | None:
        """Return the user with this folded e-mail address."""
        return self._session.scalar(select(User).where(User.email_folded == folded))

    def any(self) -> bool:
        """Tell whether there is a user at all."""
        return self._session.scalar(select(User.id).limit(1)) is not None

    def page(self, *, after_id: int, limit: int) -> Sequence[User]:
        """Return up to `limit` users in the order they were made, behind the user `after_id`."""
        return self._session.scalars(
            select(User).where(User.id > after_id).order_by(User.id).limit(limit)
        ).all()

    def lock_enabled_admins(self) -> Sequence[int]:
        """Return the ids of all administrators who may sign in; none changes before the commit.

        Always in the same order, so that two who lock them wait for each other.
        """
        return self._session.scalars(
            select(User.id)
            .where(User.role == Role.ADMIN, User.disabled.is_(False))
            .order_by(User.id)
            .with_for_update()
        ).all()

    def enabled_emails(self) -> Sequence[str]:
        """Return the address of every user who is not disabled, in a stable order."""
        return self._session.scalars(
            select(User.email).where(User.disabled.is_(False)).order_by(User.id)
        ).all()

    def record_sign_in(
        self, user_id: int, verified_hash: str | None, *, at: datetime, new_hash: str | None
    ) -> bool:
        """Note a sign-in and, if there is one, the new hash; False if the user changed meanwhile.

        Holds the row until the commit, so that a change of the password either sees the session
        that is being made or comes first.
        """
        values: dict[str, object] = {"last_login_at": at}
        if new_hash is not None:
            values["hashed_password"] = new_hash
        return self._update(
            User.id == user_id,
            _has_hash(verified_hash),
            User.disabled.is_(False),
            values=values,
        )

    def replace_password(self, user_id: int, old_hash: str | None, new_hash: str) -> bool:
        """Set the password if it is still the one known by `old_hash`; False otherwise."""
        return self._update(
            User.id == user_id,
            _has_hash(old_hash),
            User.disabled.is_(False),
            values={"hashed_password": new_hash},
        )

    def _update(self, *conditions: ColumnElement[bool], values: dict[str, object]) -> bool:
        # By the connection, which tells the number of rows.
        changed = self._session.connection().execute(update(User).where(*conditions).values(values))
        return changed.rowcount == 1


def _has_hash(hashed: str | None) -> ColumnElement[bool]:
    return User.hashed_password.is_(None) if hashed is None else User.hashed_password == hashed
