r"""What people write into fields, described for OpenAPI as far as JSON Schema can say it.

The application checks these rules and says what is wrong; nothing is refused here. The patterns
are read alike by ECMAScript (flag `u`), Python and Rust, hence neither `\p{…}` nor `\u{…}`.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from notion_backend.application.accounts.account_fields import LONGEST_USERNAME, RESERVED_USERNAMES
from notion_backend.application.fields.personal_fields import LONGEST_EMAIL, LONGEST_NAME
from notion_backend.application.leads.lead_rules import LONGEST_REASON
from notion_backend.core.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD

_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
# Joiners and selectors too, although a name may hold them where they change how it looks.
_HIDING = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SPACES = r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_MARKS = r"\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_VISIBLE = f"[^{_CONTROLS}{_HIDING}]"
_INKED = f"[^{_CONTROLS}{_HIDING}{_SPACES}{_MARKS}]"
_IN_LINES = r"[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]"
_OF_A_WORD = f"[^{_CONTROLS}{_HIDING}{_SPACES}@]"
_BEGINS_A_WORD = f"[^{_CONTROLS}{_HIDING}{_SPACES}{_MARKS}@]"

PERSON_NAME: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_NAME,
    "pattern": f"^{_VISIBLE}*{_INKED}{_VISIBLE}*$",
}
EMAIL: dict[str, Any] = {"type": "string", "format": "idn-email", "maxLength": LONGEST_EMAIL}
PLAIN_TEXT = r"^[^\u0000-\u0008\u000b\u000e-\u001f\u007f]+$"

PersonName = Annotated[str, WithJsonSchema(PERSON_NAME)]
"""As `clean_name` takes it."""

Email = Annotated[str, WithJsonSchema({**EMAIL, "examples": ["zoe@example.com"]})]
"""As `clean_email` takes it."""

Username = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_USERNAME,
            "pattern": f"^ *{_BEGINS_A_WORD}{_OF_A_WORD}* *$",
            "not": {"enum": sorted(RESERVED_USERNAMES)},
        }
    ),
]
"""As `clean_username` takes it."""

PASSWORD_RULE = (
    f"{SHORTEST_PASSWORD} characters or more, {LONGEST_PASSWORD} bytes at most, no control "
    "characters; nothing that is among the first to be tried: common passwords, what the account "
    "is called, repetitions, walks over the keyboard."
)
NewPassword = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": SHORTEST_PASSWORD,
            "maxLength": LONGEST_PASSWORD,
            # What is repeated is refused below 64 characters.
            "pattern": r"^(?!(?=.{0,63}$)(.+)\1+$)[^\u0000-\u001f\u007f-\u009f]+$",
            "examples": ["a long walk along the sea"],
        }
    ),
]
"""As `PasswordPolicy` takes it."""


def _refuse_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("required", "Say why, or leave the reason out.")
    return text


Reason = Annotated[
    str,
    AfterValidator(_refuse_blank),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_REASON,
            "pattern": rf"^{_IN_LINES}*{_INKED}{_IN_LINES}*$",
        }
    ),
]
"""As a move back to PENDING takes it; blank is none."""
