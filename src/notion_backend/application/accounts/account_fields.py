"""The rules for what a user is called, and how a login finds them again."""

from dataclasses import dataclass

from notion_backend.application.fields.personal_fields import clean_email
from notion_backend.application.fields.refusals import Refusals
from notion_backend.application.fields.visible_text import hides_or_turns, holds_control, is_blank
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.passwords import PasswordPolicy
from notion_backend.core.sentences import say
from notion_backend.core.text import fold

LONGEST_USERNAME = 150
"""Code points after folding."""
LONGEST_LOGIN = 254
"""Code points; the longest e-mail address."""
RESERVED_USERNAMES = frozenset({"anonymous", "prospect", "shell", "system"})
"""Events name these as actors."""


@dataclass(slots=True)
class AccountFields:
    """What a new user is made of; the password as it is hashed, None if there is none yet."""

    username: str = ""
    email: str = ""
    password: str | None = None


def clean_account(
    policy: PasswordPolicy, username: str, email: str, password: str | None
) -> AccountFields:
    """Check all that is told of a new user.

    Raises:
        InvalidInput: with a FieldError for each wrong field, not only the first.
    """
    refusals = Refusals()
    clean = AccountFields()
    with refusals.gathering():
        clean.username = clean_username(username)
    with refusals.gathering():
        clean.email = clean_email("email", email)
    with refusals.gathering():
        if password is not None:
            about = (clean.username, clean.email)
            clean.password = policy.check(password, field="password", about=about)
    refusals.raise_any()
    return clean


def clean_username(raw: str, field: str = "username") -> str:
    """Return `raw` folded, so that each name is one account however it is written.

    Raises:
        InvalidInput: `required`, `too_long`, `forbidden_character` or `reserved`.
    """
    text = raw.strip(" ")
    if not text:
        raise _refusal(field, "required", "Fill in the username.")
    # Twice checked: long text is not folded at all, and folding can lengthen it.
    if len(text) > LONGEST_USERNAME or len(username := fold(text)) > LONGEST_USERNAME:
        raise _refusal(
            field, "too_long", say("Use {longest} characters or fewer.", longest=LONGEST_USERNAME)
        )
    if holds_control(username) or hides_or_turns(username) or is_blank(username):
        raise _refusal(field, "forbidden_character", "Use characters that can be seen.")
    if "@" in username or any(char.isspace() for char in username):
        raise _refusal(field, "forbidden_character", "Leave out @ and spaces.")
    if username in RESERVED_USERNAMES:
        raise _refusal(field, "reserved", "Choose another username; this one is the service's.")
    return username


def read_login(raw: str) -> tuple[str | None, str | None]:
    """Return the folded username and the folded e-mail address of a login; one is None, or both.

    An `@` tells an address. Both are None for what nobody can be called, which is not looked up:
    some databases refuse such text.
    """
    login = raw.strip()
    if not login or len(login) > LONGEST_LOGIN or holds_control(login):
        return None, None
    if "@" in login:
        return None, fold_email(login)
    return fold(login), None


def fold_email(raw: str) -> str | None:
    """Return an e-mail address as it is compared; None if it is none."""
    try:
        return fold(clean_email("email", raw))
    except InvalidInput:
        return None


def _refusal(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput.of(FieldError(field, code, message))
