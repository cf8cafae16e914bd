"""Keyset paging: a page and the sealed cursor that leads to the next one."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.secret_key import derive_key

Item = TypeVar("Item")
_SEAL_BYTES = 16
_LONGEST_CURSOR = 4096


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list, and the cursor behind the last of them; None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


class Cursors:
    """Seals positions in a list, so that a made-up, cut or foreign cursor is told at once.

    A cursor is good only for the `scope` it was made for: the list with its order and filters.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = derive_key(secret, "cursor")

    def seal(self, scope: str, position: Sequence[str | int]) -> str:
        """Return the cursor for the place behind `position`."""
        body = json.dumps(list(position), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._seal(scope, body) + body).decode().rstrip("=")

    def open(self, scope: str, cursor: str) -> list[str | int]:
        """Return the position that `cursor` was made from.

        Raises:
            InvalidInput: it is not a cursor of this list.
        """
        if len(cursor) <= _LONGEST_CURSOR and cursor.isascii():
            try:
                raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
            except binascii.Error:
                raw = b""
            seal, body = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
            if body and hmac.compare_digest(seal, self._seal(scope, body)):
                position: list[str | int] = json.loads(body)
                return position
        raise InvalidInput.of(
            FieldError(
                "cursor",
                "invalid_cursor",
                "This cursor does not belong to this list; start again without one.",
            )
        )

    def _seal(self, scope: str, body: bytes) -> bytes:
        message = len(scope.encode()).to_bytes(4, "big") + scope.encode() + body
        return hmac.digest(self._key, message, hashlib.sha256)[:_SEAL_BYTES]
