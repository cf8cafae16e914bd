"""The first administrator: made at the first start, so that there is never a default password."""

import secrets
import string
from email.utils import parseaddr

from notion_backend.application.accounts.account_events import SYSTEM, account_event
from notion_backend.application.accounts.account_fields import clean_account
from notion_backend.application.accounts.users import new_user
from notion_backend.core.clock import utcnow
from notion_backend.core.config import Settings
from notion_backend.core.enums import Role
from notion_backend.core.errors import ConfigurationError, Conflict, InvalidInput
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.passwords import PasswordPolicy
from notion_backend.data.unit_of_work import Database

_RANDOM_CHARACTERS = string.ascii_letters + string.digits
_RANDOM_LENGTH = 24
"""Of 142 random bits, and easily selected with the mouse."""


def ensure_first_administrator(database: Database, settings: Settings) -> str | None:
    """Create ADMIN_USERNAME if there is no user at all; of many processes at once, one does.

    Returns:
        The random password, to be shown once, if ADMIN_PASSWORD is empty and this process created
        the administrator; otherwise None.

    Raises:
        ConfigurationError: ADMIN_USERNAME, ADMIN_EMAIL or ADMIN_PASSWORD breaks a rule.
    """
    with database.reading() as work:
        if work.users.any():
            return None
    given = settings.admin_password.get_secret_value()
    password = given or _random_password()
    try:
        fields = clean_account(
            PasswordPolicy(settings.brand_name),
            settings.admin_username,
            parseaddr(settings.admin_email)[1],
            password,
        )
    except InvalidInput as error:
        raise ConfigurationError(
            "; ".join(f"ADMIN_{each.field.upper()}: {each.message}" for each in error.errors)
        ) from None
    now = utcnow()
    hashed = PasswordHasher.configured(settings).hash(fields.password or "")
    administrator = new_user(fields, Role.ADMIN, hashed, now)
    try:
        with database.writing() as work:
            if work.users.any():
                return None
            work.users.add(administrator)
            work.flush()
            work.events.add(
                account_event("user.created", at=now, by=SYSTEM, user_id=administrator.id)
            )
            work.commit()
    except Conflict:
        return None  # another process was first
    return None if given else password


def _random_password() -> str:
    return "".join(secrets.choice(_RANDOM_CHARACTERS) for _ in range(_RANDOM_LENGTH))
