"""Business errors: what went wrong, in words for the person who has to act.

Each class is one kind of answer. `code` is stable and documented in `docs/errors.md`;
`detail` says what to do next. Only `presentation.errors` knows which HTTP status each becomes.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its name, a stable code, and a sentence for the person who filled it in."""

    field: str
    code: str
    message: str


class BusinessError(Exception):
    """Base of every error a service raises on purpose."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        retry_after: int | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = code or self.code
        self.retry_after = retry_after
        """Seconds to wait before the same request can succeed, where that is known."""
        self.errors = errors


class InvalidInput(BusinessError):
    """What was sent breaks a rule; `errors` names each field."""

    code = "validation"
    title = "Some fields are not right"

    @classmethod
    def of(cls, *errors: FieldError) -> "InvalidInput":
        """Build the error for these fields, its detail repeating their messages."""
        return cls(" ".join(error.message for error in errors), errors=errors)


class MalformedRequest(BusinessError):
    """The request cannot be read at all."""

    code = "bad_request"
    title = "The request cannot be read"


class UnsupportedMediaType(BusinessError):
    """The body is of a type that this route does not read."""

    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooLarge(BusinessError):
    """More bytes than the limit allows."""

    code = "too_large"
    title = "Too large"


class NotAuthenticated(BusinessError):
    """Nobody is signed in, or the token is no longer good."""

    code = "not_authenticated"
    title = "Sign in first"


class PermissionDenied(BusinessError):
    """The signed-in user may not do this."""

    code = "permission_denied"
    title = "Not allowed"


class NotFound(BusinessError):
    """There is no such thing, or it was erased."""

    code = "not_found"
    title = "Not found"


class Conflict(BusinessError):
    """The request contradicts what is stored now."""

    code = "conflict"
    title = "Conflict"


class ChangedMeanwhile(BusinessError):
    """Somebody else changed it since the caller read it (RFC 9110 §13.1.1)."""

    code = "changed"
    title = "Changed meanwhile"


class RateLimited(BusinessError):
    """Too many requests; `retry_after` says when to come back."""

    code = "rate_limited"
    title = "Too many requests"


class Unavailable(BusinessError):
    """A part the request needs is down or full; nothing was stored."""

    code = "unavailable"
    title = "Temporarily unavailable"


class Contended(Unavailable):
    """Another transaction was in the way; whatever else waits need not fail with this one."""


class Deadlocked(Contended):
    """Two transactions waited for each other; the same work can be done again at once."""


class LockedTooLong(Contended):
    """Another transaction held this one's idempotency key, for as long as anybody waits."""


def is_down(error: Exception) -> bool:
    """Tell whether nothing at all can be stored now, as against one change that was in the way."""
    return isinstance(error, Unavailable) and not isinstance(error, Contended)


class KeyAlreadyUsed(Conflict):
    """Another request stored the same idempotency key first; its answer can be read now."""

    code = "idempotency_in_flight"


class ConfigurationError(Exception):
    """The service cannot start as configured; the message is one line and names the setting."""
