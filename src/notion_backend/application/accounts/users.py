"""Users: who may sign in, and as what."""

from dataclasses import dataclass
from datetime import datetime

from notion_backend.application.accounts.account_events import account_event
from notion_backend.application.accounts.account_fields import (
    AccountFields,
    clean_account,
    clean_username,
)
from notion_backend.application.actor import Actor
from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.application.fields.personal_fields import clean_email
from notion_backend.application.paging import Cursors, Page
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, Role
from notion_backend.core.errors import Conflict, NotFound
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.passwords import PasswordPolicy
from notion_backend.core.text import fold
from notion_backend.data.models import User
from notion_backend.data.rows import DeliveryRow
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import DeliveryQueue

_SCOPE = "users"


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different about a user; None leaves it as it is."""

    email: str | None = None
    role: Role | None = None
    disabled: bool | None = None

    @property
    def may_take_admin(self) -> bool:
        """Tell whether an administrator would be none, or not sign in, after this."""
        return self.disabled is True or self.role not in {None, Role.ADMIN}


class UserService:
    """Creates, shows and changes users; for administrators, `me` excepted."""

    def __init__(
        self,
        database: Database,
        queue: DeliveryQueue,
        cursors: Cursors,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        base_url: str,
    ) -> None:
        self._database = database
        self._queue = queue
        self._cursors = cursors
        self._hasher = hasher
        self._policy = policy
        self._base_url = base_url

    def page(self, actor: Actor, cursor: str | None = None, limit: int = 50) -> Page[User]:
        """Return users in the order they were made.

        Raises:
            PermissionDenied: the actor is no administrator.
            InvalidInput: the cursor is not of this list.
        """
        actor.require_admin()
        after_id = int(self._cursors.open(_SCOPE, cursor)[0]) if cursor is not None else 0
        with self._database.reading() as work:
            found = work.users.page(after_id=after_id, limit=limit + 1)
        users = found[:limit]
        more = len(found) > limit
        return Page(users, self._cursors.seal(_SCOPE, [users[-1].id]) if more else None)

    def me(self, actor: Actor) -> User:
        """Return the actor's own user.

        Raises:
            NotFound: the actor is no user.
        """
        return self._get(actor.user_id)

    def get(self, actor: Actor, user_id: int) -> User:
        """Return one user.

        Raises:
            PermissionDenied: the actor is no administrator.
            NotFound: there is no such user.
        """
        actor.require_admin()
        return self._get(user_id)

    def named(self, actor: Actor, username: str) -> User:
        """Return the user of this name, however it is written.

        Raises:
            PermissionDenied: the actor is no administrator.
            NotFound: there is no such user.
        """
        actor.require_admin()
        with self._database.reading() as work:
            user = work.users.by_username(clean_username(username))
        return _found(user)

    def create(
        self, actor: Actor, username: str, email: str, role: Role, password: str | None = None
    ) -> User:
        """Store a new user; without a password an invitation goes out in the same commit.

        Raises:
            PermissionDenied: the actor is no administrator.
            InvalidInput: naming every field that breaks a rule.
            Conflict: `username_taken` or `email_taken`.
        """
        actor.require_admin()
        clean = clean_account(self._policy, username, email, password)
        hashed = None if clean.password is None else self._hasher.hash(clean.password)
        now = utcnow()
        user = new_user(clean, role, hashed, now)
        invitations = [] if hashed else [self._invitation(user)]
        with self._database.writing() as work:
            work.users.add(user)
            work.flush()
            work.deliveries.insert(invitations)
            work.events.add(
                account_event("user.created", at=now, by=actor, user_id=user.id, detail=role.value)
            )
            work.commit()
        self._queue.ring([invitation["id"] for invitation in invitations])
        return user

    def set_disabled(self, actor: Actor, username: str, *, disabled: bool) -> User:
        """Disable or enable the user of this name; see `change`."""
        return self.change(actor, self.named(actor, username).id, UserChange(disabled=disabled))

    def change(self, actor: Actor, user_id: int, change: UserChange) -> User:
        """Change a user; what is so already is not recorded.

        Disabling ends all sessions at once. A new role counts from the next request on.

        Raises:
            PermissionDenied: the actor is no administrator.
            NotFound: there is no such user.
            InvalidInput: the e-mail address breaks a rule.
            Conflict: `last_administrator`, or `email_taken`.
        """
        actor.require_admin()
        email = None if change.email is None else clean_email("email", change.email)
        now = utcnow()
        with self._database.writing() as work:
            # First these, always: two who each take away the other's last equal wait here.
            enabled_admins = work.users.lock_enabled_admins() if change.may_take_admin else ()
            user = _found(work.users.get(user_id, lock=True))
            if list(enabled_admins) == [user.id]:
                raise Conflict(
                    "This is the last administrator who can sign in; appoint another one first.",
                    code="last_administrator",
                )
            changed = _apply(change, email, user)
            if "user.disabled" in changed:
                work.sessions.revoke_all_of(user.id, now)
            for action, detail in changed.items():
                work.events.add(
                    account_event(action, at=now, by=actor, user_id=user.id, detail=detail)
                )
            work.commit()
        return user

    def _get(self, user_id: int | None) -> User:
        if user_id is None:
            return _found(None)
        with self._database.reading() as work:
            return _found(work.users.get(user_id))

    def _invitation(self, user: User) -> DeliveryRow:
        return new_delivery(
            DeliveryKind.INVITATION,
            user.email,
            {"base_url": self._base_url},
            now=user.created_at,
        )


def new_user(fields: AccountFields, role: Role, hashed: str | None, now: datetime) -> User:
    """Return a user to be stored, with the hash of their password or None for no password yet."""
    return User(
        username=fields.username,
        email=fields.email,
        email_folded=fold(fields.email),
        hashed_password=hashed,
        role=role,
        disabled=False,
        created_at=now,
    )


def _apply(change: UserChange, email: str | None, user: User) -> dict[str, str]:
    """Set what differs; return the events of it, action and detail."""
    changed = {}
    if email is not None and email != user.email:
        user.email, user.email_folded = email, fold(email)
        changed["user.email_changed"] = ""
    if change.role is not None and change.role is not user.role:
        changed["user.role_changed"] = f"{user.role.value} to {change.role.value}"
        user.role = change.role
    if change.disabled is not None and change.disabled is not user.disabled:
        changed["user.disabled" if change.disabled else "user.enabled"] = ""
        user.disabled = change.disabled
    return changed


def _found(user: User | None) -> User:
    if user is None:
        raise NotFound("There is no such user; list the users to see them all.")
    return user
