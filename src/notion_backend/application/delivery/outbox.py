"""New mails: rows written with the change that causes them."""

from datetime import datetime

from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.core.ids import new_row_id
from notion_backend.core.text import fold
from notion_backend.data.rows import DeliveryRow


def new_delivery(
    kind: DeliveryKind,
    recipient: str,
    context: dict[str, str],
    *,
    now: datetime,
    lead_id: int | None = None,
    held: str | None = None,
) -> DeliveryRow:
    """Return the row of a mail that is due at once, or kept back for the reason `held`.

    Args:
        kind: why it is sent; names its template.
        recipient: one address.
        context: what the template shows, fixed from now on; never a secret.
        now: when it was made.
        lead_id: the lead it belongs to and is erased with.
        held: a sentence for staff; None to send it.
    """
    return {
        "id": new_row_id(),
        "lead_id": lead_id,
        "kind": kind,
        "recipient": recipient,
        "recipient_folded": fold(recipient),
        "context": context,
        "status": DeliveryStatus.HELD if held else DeliveryStatus.QUEUED,
        "attempts": 0,
        "deaths": 0,
        "in_exchange": False,
        "last_reply": held,
        "next_attempt_at": None if held else now,
        "created_at": now,
    }
