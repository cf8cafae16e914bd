"""The closed sets of words that the database, the API and the pages share."""

from enum import StrEnum


class LeadState(StrEnum):
    """Where a lead stands with the firm."""

    PENDING = "PENDING"
    REACHED_OUT = "REACHED_OUT"


class LeadSort(StrEnum):
    """By what leads are listed; a minus sign turns the order round."""

    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    LAST_NAME = "last_name"
    LAST_NAME_DESCENDING = "-last_name"
    EMAIL = "email"
    EMAIL_DESCENDING = "-email"

    @property
    def by(self) -> str:
        """What is compared, without the sign."""
        return self.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Tell whether the greatest comes first."""
        return self.startswith("-")


class Role(StrEnum):
    """What a user may do: staff work leads, administrators also users and erasure."""

    ADMIN = "admin"
    STAFF = "staff"


class DeliveryKind(StrEnum):
    """Why a mail is sent."""

    PROSPECT_CONFIRMATION = "prospect_confirmation"
    STAFF_NOTIFICATION = "staff_notification"
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind of mail, not a secret


class DeliveryStatus(StrEnum):
    """Where a mail stands; `docs/delivery.md` draws the moves between them."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    HELD = "HELD"
