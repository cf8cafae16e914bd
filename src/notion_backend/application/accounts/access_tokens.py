"""Access tokens: short-lived signed tokens that name a session (RFC 7519, RFC 9068, RFC 8725)."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from notion_backend.core.clock import utcnow
from notion_backend.core.errors import NotAuthenticated
from notion_backend.core.secret_key import derive_key

ISSUER = "notion-backend"
AUDIENCE = "notion-backend/api"
PURPOSE = "access"
LONGEST_TOKEN = 4096
"""Bytes; ours have some 400."""
_REMEMBERED_TOKENS = 1024

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
_CLAIMS = ("iss", "aud", "sub", "sid", "token_use", "iat", "nbf", "exp", "jti")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a good token says: whose it is and from which sign-in."""

    user_id: int
    session_id: UUID
    expires_at: datetime


class AccessTokens:
    """Makes and reads access tokens, with one key and one algorithm."""

    def __init__(self, secret: bytes, lifetime: timedelta) -> None:
        self._key = derive_key(secret, "access-token")
        self.lifetime = lifetime
        self._verified = lru_cache(maxsize=_REMEMBERED_TOKENS)(self._verify)

    def issue(self, user_id: int, session_id: UUID) -> str:
        """Return a token that is good for `lifetime` from now, while its session lives."""
        now = utcnow()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "token_use": PURPOSE,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"typ": _TYPE})

    def read(self, token: str) -> TokenClaims:
        """Return what the token says.

        Raises:
            NotAuthenticated: it is not one of ours, or not good now.
        """
        if len(token) > LONGEST_TOKEN:
            raise bad_token()
        claims = self._verified(token)
        if claims.expires_at <= utcnow():
            raise bad_token()
        return claims

    def _verify(self, token: str) -> TokenClaims:
        """See that the token is ours; this stays so, its end apart, so it is done once a token."""
        try:
            decoded = jwt.decode_complete(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": list(_CLAIMS), "strict_aud": True},
            )
            claims = decoded["payload"]
            # Exactly our header: no `crit` to understand, no `kid` or `jku` to follow.
            is_ours = decoded["header"] == {"alg": _ALGORITHM, "typ": _TYPE}
            if is_ours and claims["token_use"] == PURPOSE:
                return TokenClaims(
                    user_id=int(claims["sub"]),
                    session_id=UUID(str(claims["sid"])),
                    expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
                )
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise bad_token() from error
        raise bad_token()


def bad_token() -> NotAuthenticated:
    """Return the one answer to every token that is no longer, or never was, good."""
    return NotAuthenticated("Sign in again; this token is not valid, or no longer.")
