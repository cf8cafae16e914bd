"""The one place where a driver's error becomes a business error."""

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from notion_backend.core.errors import (
    BusinessError,
    Conflict,
    Deadlocked,
    KeyAlreadyUsed,
    LockedTooLong,
    Unavailable,
)
from notion_backend.core.sentences import say

_RETRY_SECONDS = 5
# PostgreSQL's SQLSTATE or MySQL's number: serialization failure, deadlock; lock timeout.
_DEADLOCK = {"40001", "40P01", 1213}
_LOCK_TIMEOUT = {"55P03", 1205}


_OF_A_KEY = ("INSERT INTO idempotency_records", "DELETE FROM idempotency_records")
"""What waits for another request with the same key; a read of it may wait for anything."""


def translate(error: SQLAlchemyError) -> BusinessError | None:
    """Return what `error` means to the caller; None for a mistake of ours, which must stay loud."""
    if isinstance(error, PoolTimeout):
        return Unavailable(
            "The database is busy. Nothing was stored; try again in a moment.",
            retry_after=_RETRY_SECONDS,
        )
    if isinstance(error, IntegrityError):
        return _violated(str(error.orig), error.statement or "")
    if isinstance(error, DBAPIError):
        numbers = _numbers(error)
        if numbers & _DEADLOCK:
            return Deadlocked(
                "Another change was in the way. Nothing was stored; try again.", retry_after=1
            )
        if numbers & _LOCK_TIMEOUT:
            waited = say("Another change takes long. Nothing was stored; try again.")
            if (error.statement or "").startswith(_OF_A_KEY):
                return LockedTooLong(waited, retry_after=2)
            return Unavailable(waited, retry_after=2)
        if error.connection_invalidated or type(error).__name__ in {
            "OperationalError",
            "InterfaceError",
            "InternalError",  # PostgreSQL: read-only, as on a standby or after a full disk
            "NotSupportedError",  # PostgreSQL: a plan from before a migration
        }:
            return Unavailable(
                "The database does not answer or cannot store. Nothing was stored; try again.",
                retry_after=_RETRY_SECONDS,
            )
    return None


def _violated(message: str, statement: str) -> BusinessError | None:
    """Drivers name the constraint (PostgreSQL, MySQL) or its table and column (SQLite)."""
    if "uq_users_username" in message or "users.username" in message:
        return Conflict("This username is taken; choose another.", code="username_taken")
    if "uq_users_email_folded" in message or "users.email_folded" in message:
        return Conflict("This e-mail address belongs to another user.", code="email_taken")
    if "uq_leads_reference" in message or "leads.reference" in message:
        return Conflict("Another lead has this reference.", code="reference_taken")
    # MySQL calls every primary key PRIMARY, so the statement has to tell which table it was.
    if "idempotency_records" in message or (
        "'PRIMARY'" in message and "idempotency_records" in statement
    ):
        return KeyAlreadyUsed(
            "A request with this key is being stored; send the same request again.", retry_after=1
        )
    return None


def _numbers(error: DBAPIError) -> set[object]:
    """Return how the server numbers this error: a SQLSTATE, MySQL's own number, or both."""
    arguments: tuple[object, ...] = getattr(error.orig, "args", ())
    return {getattr(error.orig, "sqlstate", None), *arguments[:1]}
