"""Mails and messages for the tests of this folder."""

from datetime import UTC, datetime
from uuid import UUID

from notion_backend.core.enums import DeliveryKind
from notion_backend.mail.messages import Composer, Mail, Message

MAIL_ID = UUID("0193a6b0-1234-7000-8000-0123456789ab")
CREATED_AT = datetime(2026, 11, 23, 7, 30, 15, tzinfo=UTC)
CONTEXTS = {
    DeliveryKind.PROSPECT_CONFIRMATION: {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "reference": "7Q2M4T8XK0W3",
    },
    DeliveryKind.STAFF_NOTIFICATION: {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@prospect.example",
        "reference": "7Q2M4T8XK0W3",
        "link": "https://leads.firm.example/console/leads/17",
        "resume_filename": "ada.pdf",
        "flags": "",
    },
    DeliveryKind.INVITATION: {
        "username": "grace",
        "link": "https://leads.firm.example/invitation/t0ken?a=1&b=2",
        "expires_at": "26 November 2026, 07:30 UTC",
    },
    DeliveryKind.PASSWORD_RESET: {
        "username": "grace",
        "link": "https://leads.firm.example/password-reset/t0ken?a=1&b=2",
        "expires_at": "23 November 2026, 08:30 UTC",
    },
}


def composer(**settings: object) -> Composer:
    """Build a composer with ordinary settings, but for those named here."""
    usual: dict[str, object] = {
        "mail_from": "Firm <no-reply@firm.example>",
        "reply_to": "office@firm.example",
        "brand_name": "The Firm",
        "templates_dir": None,
    }
    return Composer(**(usual | settings))  # type: ignore[arg-type]


def mail(
    kind: DeliveryKind = DeliveryKind.PROSPECT_CONFIRMATION,
    recipient: str = "ada@prospect.example",
    **changes: str,
) -> Mail:
    """Build a mail of this kind with its usual context, but for the changes."""
    return Mail(MAIL_ID, kind, recipient, CREATED_AT, CONTEXTS[kind] | changes)


def message(
    recipient: str = "ada@prospect.example", data: bytes = b"Subject: hi\r\n\r\nhello\r\n"
) -> Message:
    """Build a message with a short text of its own."""
    return Message(
        id=MAIL_ID,
        kind=DeliveryKind.PROSPECT_CONFIRMATION,
        created_at=CREATED_AT,
        sender="no-reply@firm.example",
        recipient=recipient,
        data=data,
        needs_smtputf8=not recipient.isascii(),
    )


def always() -> bool:
    """Hold the lease."""
    return True
