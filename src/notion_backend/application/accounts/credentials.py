"""Whether a login and a password belong together: told alike, in text and in time, if not."""

import hashlib
import hmac
from dataclasses import dataclass

from notion_backend.application.accounts.account_events import NOBODY, account_event
from notion_backend.application.accounts.account_fields import read_login
from notion_backend.application.accounts.login_throttle import LoginThrottle
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import NotAuthenticated
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.passwords import prepare_password
from notion_backend.core.secret_key import derive_key
from notion_backend.data.models import User
from notion_backend.data.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class VerifiedUser:
    """A user whose password was right, and the hash it was right for."""

    user: User
    verified_hash: str | None
    upgraded_hash: str | None
    """What to store in its place; None to leave it."""


class Credentials:
    """Verifies passwords, slowly enough for guessing and under the limit of each account."""

    def __init__(
        self, database: Database, hasher: PasswordHasher, throttle: LoginThrottle, secret: bytes
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._throttle = throttle
        self._key = derive_key(secret, "login-throttle")

    def verify(self, login: str, password: str, address: str | None) -> VerifiedUser:
        """Return whose username or e-mail address, and password, these are.

        Every failure reads, hashes and commits the same whatever the reason.

        Raises:
            NotAuthenticated: `invalid_credentials` for an unknown login, a wrong password, a
                disabled user and one without a password.
            RateLimited: the account has had too many failures.
            Unavailable: too many are signing in.
        """
        with self._database.reading() as work:
            user = _find(work, login)
        self._throttle.check(account := self._account(user, login))
        verified = self._compare(user, password)
        if verified is None:
            self._throttle.count_failure(account)
            self._record_failure(user, address)
            raise invalid_credentials()
        return verified

    def confirm(self, user: User, password: str, address: str | None) -> VerifiedUser | None:
        """Return the signed-in user if `password` is theirs, else None; as throttled as `verify`.

        Raises:
            RateLimited: the account has had too many failures.
            Unavailable: too many are signing in.
        """
        self._throttle.check(account := self._account(user, ""))
        verified = self._compare(user, password)
        if verified is None:
            self._throttle.count_failure(account)
            self._record_failure(user, address)
        return verified

    def _compare(self, user: User | None, password: str) -> VerifiedUser | None:
        hashed = None if user is None or user.disabled else user.hashed_password
        verdict = self._hasher.verify(prepare_password(password), hashed)
        if user is None or not verdict.is_right:
            return None
        return VerifiedUser(user, hashed, verdict.upgraded)

    def _account(self, user: User | None, login: str) -> str:
        """Name an account by number, an unknown login by a keyed hash: no name leaves here."""
        if user is not None:
            return f"user-{user.id}"
        username, email = read_login(login)
        typed = (username or email or login).encode("utf-8", "surrogatepass")
        return f"login-{hmac.new(self._key, typed, hashlib.sha256).hexdigest()}"

    def _record_failure(self, user: User | None, address: str | None) -> None:
        with self._database.writing() as work:
            work.events.add(
                account_event(
                    "auth.failed",
                    at=utcnow(),
                    by=NOBODY,
                    user_id=user.id if user else None,
                    address=address,
                )
            )
            work.commit()


def invalid_credentials() -> NotAuthenticated:
    """Return the one answer to everything that does not sign anybody in."""
    return NotAuthenticated(
        "Check the username and the password, or sign in anew.", code="invalid_credentials"
    )


def _find(work: UnitOfWork, login: str) -> User | None:
    username, email = read_login(login)
    if email is not None:
        return work.users.by_email(email)
    return work.users.by_username(username) if username is not None else None
