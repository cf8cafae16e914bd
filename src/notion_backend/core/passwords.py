"""Which passwords are accepted: long ones that are not easily guessed (SP 800-63B-4, ASVS V6.2)."""

import unicodedata
from collections.abc import Sequence

from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.guessable import is_guessable
from notion_backend.core.sentences import say

SHORTEST_PASSWORD = 15
"""Code points after NFC."""
LONGEST_PASSWORD = 1024
"""Bytes in UTF-8 after NFC. Nothing is ever cut off: what is longer is refused."""

_PRODUCT = "Notion Backend"


def prepare_password(raw: str) -> str | None:
    """Return `raw` as it is hashed, normalised once to NFC; None if nobody's can be like this."""
    if len(raw) > LONGEST_PASSWORD or _holds_control(raw):
        return None
    password = unicodedata.normalize("NFC", raw)
    return password if len(password.encode()) <= LONGEST_PASSWORD else None


class PasswordPolicy:
    """Checks passwords that people choose; `brand` is a word they must not consist of."""

    def __init__(self, brand: str) -> None:
        self._names = (_PRODUCT, brand)

    def check(self, raw: str, *, field: str, about: Sequence[str]) -> str:
        """Return the password as it is hashed. Any characters will do, spaces and emoji too.

        Args:
            raw: as it was typed.
            field: what the refusal names.
            about: the user's name and e-mail address, which it must not consist of.

        Raises:
            InvalidInput: `too_short`, `too_long`, `forbidden_character` or `too_common`.
        """
        if _holds_control(raw[:LONGEST_PASSWORD]):
            raise _refusal(field, "forbidden_character", "Leave control characters out.")
        password = prepare_password(raw)
        if password is None:
            raise _refusal(
                field, "too_long", say("Use {longest} bytes or fewer.", longest=LONGEST_PASSWORD)
            )
        if len(password) < SHORTEST_PASSWORD:
            raise _refusal(
                field,
                "too_short",
                say(
                    "Use {shortest} characters or more; words will do.", shortest=SHORTEST_PASSWORD
                ),
            )
        if is_guessable(password, (*self._names, *about)):
            raise _refusal(
                field, "too_common", "This is among the first that others try; choose another."
            )
        return password


def _holds_control(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)


def _refusal(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput.of(FieldError(field, code, message))
