"""Links to choose a password: derived when a mail is written, never stored (ASVS V6.4.1).

A token is signed over the password hash and the address it was made for, so that it works once:
choosing a password, by it or otherwise, changes what it was signed over.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from notion_backend.core.enums import DeliveryKind
from notion_backend.core.secret_key import derive_key
from notion_backend.data.models import User

LIFETIMES = {
    DeliveryKind.INVITATION: timedelta(days=7),
    DeliveryKind.PASSWORD_RESET: timedelta(hours=1),
}
_SEAL_BYTES = 32
_LONGEST_TOKEN = 512
_PAST_LARGEST_ID = 2**63


@dataclass(frozen=True, slots=True)
class PasswordTokenClaims:
    """What a token claims, before its seal is compared with the user's present password."""

    user_id: int
    kind: DeliveryKind
    expires_at: datetime
    seal: bytes


class PasswordTokens:
    """Makes and reads these tokens; pure but for the key."""

    def __init__(self, secret: bytes) -> None:
        self._key = derive_key(secret, "password-token")

    def issue(self, user: User, kind: DeliveryKind, made_at: datetime) -> tuple[str, datetime]:
        """Return the token that belongs to a mail made at `made_at`, and when it ends.

        The same arguments give the same token, so that a mail has one body at every attempt.
        """
        expires_at = (made_at + LIFETIMES[kind]).replace(microsecond=0)
        body = json.dumps([user.id, kind.value, int(expires_at.timestamp())]).encode()
        token = base64.urlsafe_b64encode(self._seal(body, user) + body).decode().rstrip("=")
        return token, expires_at

    def read(self, token: str) -> PasswordTokenClaims | None:
        """Return what `token` claims; None if it cannot be one. Nothing is proved yet."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
            user_id, kind, expires = json.loads(raw[_SEAL_BYTES:])
            if not isinstance(user_id, int) or not 0 < user_id < _PAST_LARGEST_ID:
                return None
            return PasswordTokenClaims(
                user_id=user_id,
                kind=DeliveryKind(kind),
                expires_at=datetime.fromtimestamp(expires, UTC),
                seal=raw[:_SEAL_BYTES],
            )
        except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError):
            return None

    def is_good(self, claims: PasswordTokenClaims, user: User, now: datetime) -> bool:
        """Tell whether the token was made for this user as stored now, and has not ended."""
        body = json.dumps(
            [claims.user_id, claims.kind.value, int(claims.expires_at.timestamp())]
        ).encode()
        return (
            claims.user_id == user.id
            and claims.kind in LIFETIMES
            and now < claims.expires_at
            and hmac.compare_digest(claims.seal, self._seal(body, user))
        )

    def _seal(self, body: bytes, user: User) -> bytes:
        # None and an empty hash are the same: neither can sign in.
        state = json.dumps([user.hashed_password or "", user.email_folded]).encode()
        return hmac.digest(self._key, body + b"\x00" + state, hashlib.sha256)
