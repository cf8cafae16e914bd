"""Sessions of the console: kept on the server, known to the browser by a random cookie.

ASVS V7: a new id at every sign-in, over after 30 minutes without a request and after 12 hours in
any case, and over at the next request once the user is disabled or changes the password.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from notion_backend.application.accounts.account_events import account_event
from notion_backend.application.accounts.credentials import Credentials
from notion_backend.application.accounts.sign_ins import begin_session
from notion_backend.application.actor import Actor
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import NotAuthenticated
from notion_backend.core.secret_key import derive_key
from notion_backend.data.unit_of_work import Database

LONGEST_IDLE = timedelta(minutes=30)
LONGEST_SESSION = timedelta(hours=12)
_COOKIE_BYTES = 32
_SEEN_AGAIN_AFTER = timedelta(minutes=1)
"""So seldom is it written down that a session was used; an idle one ends that much too early."""


@dataclass(frozen=True, slots=True)
class ConsoleVisit:
    """Who is at the console, and the token that the forms of this session carry."""

    actor: Actor
    csrf_token: str

    def made(self, token: str) -> bool:
        """Tell whether a form with this token was made for this session."""
        return hmac.compare_digest(token.encode(), self.csrf_token.encode())


class ConsoleSessions:
    """Begins, recognises and ends sessions of the console."""

    def __init__(self, database: Database, credentials: Credentials, secret: bytes) -> None:
        self._database = database
        self._credentials = credentials
        self._key = derive_key(secret, "console-csrf")

    def sign_in(
        self, login: str, password: str, address: str | None, *, replaces: str | None = None
    ) -> str:
        """Begin a session for whoever these credentials belong to and return its cookie.

        Args:
            login: username, in any case, or e-mail address.
            password: as typed.
            address: where the request came from.
            replaces: the cookie that came along; its session ends.

        Raises:
            NotAuthenticated: `invalid_credentials`, whatever the reason.
            RateLimited: the account has had too many failures.
            Unavailable: too many are signing in.
        """
        verified = self._credentials.verify(login, password, address)
        cookie = secrets.token_urlsafe(_COOKIE_BYTES)
        with self._database.writing() as work:
            if replaces:
                work.sessions.forget_cookie(_hash(replaces))
            begin_session(
                work,
                verified,
                now=utcnow(),
                lifetime=LONGEST_SESSION,
                address=address,
                cookie_hash=_hash(cookie),
            )
            work.commit()
        return cookie

    def visit(
        self, cookie: str | None, address: str | None, *, is_use: bool = True
    ) -> ConsoleVisit:
        """Return whose cookie this is, as stored now.

        Args:
            cookie: as the browser sent it.
            address: where the request came from.
            is_use: whether somebody did something; what a page asks by itself keeps no session
                from ending.

        Raises:
            NotAuthenticated: there is no such session, it is over, or its user is disabled.
        """
        now = utcnow()
        with self._database.reading() as work:
            found = work.sessions.alive_by_cookie(_hash(cookie), now) if cookie else None
        if found is None or found[0].last_seen_at + LONGEST_IDLE <= now:
            raise NotAuthenticated("Sign in first; a session ends after 30 minutes without use.")
        session, user = found
        if is_use and session.last_seen_at + _SEEN_AGAIN_AFTER <= now:
            with self._database.writing() as work:
                work.sessions.touch(session.id, now)
                work.commit()
        actor = Actor(
            username=user.username,
            role=user.role,
            user_id=user.id,
            session_id=session.id,
            address=address,
        )
        return ConsoleVisit(actor, self._csrf_token(session.id))

    def sign_out(self, cookie: str, actor: Actor) -> None:
        """End the session of this cookie; nothing of it is kept."""
        with self._database.writing() as work:
            work.sessions.forget_cookie(_hash(cookie))
            work.events.add(
                account_event("auth.signed_out", at=utcnow(), by=actor, user_id=actor.user_id)
            )
            work.commit()

    def _csrf_token(self, session_id: UUID) -> str:
        return hmac.digest(self._key, session_id.bytes, hashlib.sha256).hex()


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
