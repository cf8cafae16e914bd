"""Sign-ins: token pairs, their renewal and their end.

A sign-in is a session. Its access tokens are short-lived and name it; of its refresh tokens one at
a time is good, once (RFC 9700 §4.14.2). Every request looks the session and its user up, so what
ends them acts at once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notion_backend.application.accounts.access_tokens import AccessTokens, bad_token
from notion_backend.application.accounts.account_events import NOBODY, account_event
from notion_backend.application.accounts.credentials import Credentials, invalid_credentials
from notion_backend.application.accounts.sign_ins import begin_session
from notion_backend.application.actor import Actor
from notion_backend.core.clock import utcnow
from notion_backend.data.models import RefreshToken
from notion_backend.data.unit_of_work import Database, UnitOfWork

_REFRESH_TOKEN_BYTES = 32
_LONGEST_REFRESH_TOKEN = 128


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets when it signs in or renews; `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class AuthService:
    """Signs users in and out, and tells who sends a token."""

    def __init__(
        self,
        database: Database,
        credentials: Credentials,
        access_tokens: AccessTokens,
        refresh_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._credentials = credentials
        self._access_tokens = access_tokens
        self._refresh_lifetime = refresh_lifetime

    def sign_in(self, login: str, password: str, address: str | None) -> TokenPair:
        """Begin a session for whoever these credentials belong to.

        Args:
            login: username, in any case, or e-mail address.
            password: as typed.
            address: where the request came from.

        Raises:
            NotAuthenticated: `invalid_credentials`, whatever the reason.
            RateLimited: the account has had too many failures.
            Unavailable: too many are signing in.
        """
        verified = self._credentials.verify(login, password, address)
        now = utcnow()
        with self._database.writing() as work:
            session = begin_session(
                work, verified, now=now, lifetime=self._refresh_lifetime, address=address
            )
            refresh_token = _add_refresh_token(work, session.id, now)
            work.commit()
        return self._pair(verified.user.id, session.id, refresh_token)

    def refresh(self, refresh_token: str, address: str | None) -> TokenPair:
        """Exchange a refresh token for a new pair; the session's end stays where it is.

        A token that was used before revokes its whole family: one of two holders is a thief.

        Raises:
            NotAuthenticated: `invalid_credentials`.
        """
        if len(refresh_token) > _LONGEST_REFRESH_TOKEN or not refresh_token.isascii():
            raise invalid_credentials()
        token_hash, now = _hash(refresh_token), utcnow()
        with self._database.writing() as work:
            is_first = work.sessions.use_refresh_token(token_hash, now)
            found = work.sessions.alive_by_refresh_token(token_hash, now)
            if found is None:
                raise invalid_credentials()
            session, user = found
            if is_first:
                successor = _add_refresh_token(work, session.id, now)
            elif work.sessions.revoke(session.id, now):
                work.events.add(
                    account_event(
                        "auth.refresh_token_reused",
                        at=now,
                        by=NOBODY,
                        user_id=user.id,
                        address=address,
                    )
                )
            work.commit()
        if not is_first:
            raise invalid_credentials()
        return self._pair(user.id, session.id, successor)

    def authenticate(self, token: str, address: str | None) -> Actor:
        """Return who sends this access token, as stored now: one query.

        Raises:
            NotAuthenticated: the token is not good, its session is over, or its user disabled.
        """
        claims = self._access_tokens.read(token)
        with self._database.reading() as work:
            user = work.sessions.who(claims.session_id, utcnow())
        if user is None or user.user_id != claims.user_id:
            raise bad_token()
        return Actor(
            username=user.username,
            role=user.role,
            user_id=user.user_id,
            session_id=claims.session_id,
            address=address,
        )

    def sign_out(self, actor: Actor) -> None:
        """End the session that the actor's token belongs to, with all its tokens."""
        if actor.session_id is None:
            return
        now = utcnow()
        with self._database.writing() as work:
            if work.sessions.revoke(actor.session_id, now):
                work.events.add(
                    account_event("auth.signed_out", at=now, by=actor, user_id=actor.user_id)
                )
            work.commit()

    def _pair(self, user_id: int, session_id: UUID, refresh_token: str) -> TokenPair:
        return TokenPair(
            access_token=self._access_tokens.issue(user_id, session_id),
            refresh_token=refresh_token,
            expires_in=int(self._access_tokens.lifetime.total_seconds()),
        )


def _add_refresh_token(work: UnitOfWork, session_id: UUID, now: datetime) -> str:
    token = secrets.token_urlsafe(_REFRESH_TOKEN_BYTES)
    work.sessions.add_refresh_token(
        RefreshToken(token_hash=_hash(token), session_id=session_id, created_at=now)
    )
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
