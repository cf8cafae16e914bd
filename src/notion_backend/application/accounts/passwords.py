"""Choosing a password: while signed in, by a link from a mail, or by an administrator."""

from notion_backend.application.accounts.account_events import account_event
from notion_backend.application.accounts.account_fields import clean_username
from notion_backend.application.accounts.credentials import Credentials
from notion_backend.application.accounts.password_tokens import PasswordTokenClaims, PasswordTokens
from notion_backend.application.actor import Actor
from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.application.fields.personal_fields import clean_email
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind
from notion_backend.core.errors import FieldError, InvalidInput, NotAuthenticated, NotFound
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.passwords import PasswordPolicy
from notion_backend.data.models import User
from notion_backend.data.unit_of_work import Database, UnitOfWork
from notion_backend.mail.queue import DeliveryQueue


class PasswordService:
    """Sets passwords; each new one ends every session of its user."""

    def __init__(
        self,
        database: Database,
        queue: DeliveryQueue,
        credentials: Credentials,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        tokens: PasswordTokens,
        base_url: str,
    ) -> None:
        self._database = database
        self._queue = queue
        self._credentials = credentials
        self._hasher = hasher
        self._policy = policy
        self._tokens = tokens
        self._base_url = base_url

    def change(self, actor: Actor, current: str, new: str) -> None:
        """Set the actor's own password; whoever does so must know the present one.

        Raises:
            InvalidInput: `current_password` is wrong, or `new_password` breaks a rule.
            RateLimited: the account has had too many failures.
        """
        user = self._get(actor.user_id)
        if user is None:
            raise NotFound("The shell has no password; name a user.")
        hashable = self._policy.check(new, field="new_password", about=_about(user))
        verified = self._credentials.confirm(user, current, actor.address)
        if verified is None:
            raise InvalidInput.of(
                FieldError(
                    "current_password",
                    "invalid_credentials",
                    "This is not your present password.",
                )
            )
        new_hash = self._hasher.hash(hashable)
        with self._database.writing() as work:
            if not work.users.replace_password(user.id, verified.verified_hash, new_hash):
                raise NotAuthenticated("Sign in again; your account was changed meanwhile.")
            _end_sessions(work, user, "user.password_changed", actor)
            work.commit()

    def request_reset(self, email: str) -> None:
        """Queue a mail to this address. Whether anybody has it, the delivery worker finds out.

        Text that is no address is for nobody and stores nothing.
        """
        try:
            recipient = clean_email("email", email)
        except InvalidInput:
            return
        delivery = new_delivery(
            DeliveryKind.PASSWORD_RESET, recipient, {"base_url": self._base_url}, now=utcnow()
        )
        with self._database.writing() as work:
            work.deliveries.insert([delivery])
            work.commit()
        self._queue.ring([delivery["id"]])

    def confirm_reset(self, token: str, password: str, address: str | None) -> None:
        """Set the password of the user whom the mail with this token was for.

        Raises:
            InvalidInput: `invalid_token`, or the password breaks a rule.
        """
        claims = self._tokens.read(token)
        user = self._proved(claims)
        hashable = self._policy.check(password, field="password", about=_about(user))
        new_hash = self._hasher.hash(hashable)
        with self._database.writing() as work:
            # Fenced by the hash that the token was signed over: of two at once, one alone counts.
            if not work.users.replace_password(user.id, user.hashed_password, new_hash):
                raise _invalid_token()
            who = Actor(user.username, user.role, user.id, address=address)
            _end_sessions(work, user, "user.password_reset", who)
            work.commit()

    def set_for(self, actor: Actor, username: str, password: str) -> User:
        """Set somebody's password, for administrators.

        Raises:
            PermissionDenied: the actor is none.
            NotFound: there is no such user.
            InvalidInput: the password breaks a rule.
        """
        actor.require_admin()
        with self._database.reading() as work:
            user = work.users.by_username(clean_username(username))
        if user is None:
            raise NotFound("There is no user of this name; list the users to see them all.")
        hashable = self._policy.check(password, field="password", about=_about(user))
        new_hash = self._hasher.hash(hashable)
        with self._database.writing() as work:
            stored = work.users.get(user.id, lock=True)
            if stored is None:
                raise NotFound("This user is gone.")
            stored.hashed_password = new_hash
            _end_sessions(work, stored, "user.password_set", actor)
            work.commit()
        return stored

    def _proved(self, claims: PasswordTokenClaims | None) -> User:
        user = self._get(claims.user_id) if claims else None
        if claims is None or user is None or user.disabled:
            raise _invalid_token()
        if not self._tokens.is_good(claims, user, utcnow()):
            raise _invalid_token()
        return user

    def _get(self, user_id: int | None) -> User | None:
        if user_id is None:
            return None
        with self._database.reading() as work:
            return work.users.get(user_id)


def _end_sessions(work: UnitOfWork, user: User, action: str, by: Actor) -> None:
    now = utcnow()
    work.sessions.revoke_all_of(user.id, now)
    work.events.add(account_event(action, at=now, by=by, user_id=user.id))


def _about(user: User) -> tuple[str, str]:
    return user.username, user.email


def _invalid_token() -> InvalidInput:
    return InvalidInput.of(
        FieldError(
            "token",
            "invalid_token",
            "This link was used or has ended; ask for a new one.",
        )
    )
