"""Which leads are asked for, and in which order: one shape for list, export and pages."""

from dataclasses import dataclass
from datetime import datetime

from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.errors import FieldError, InvalidInput


@dataclass(frozen=True, slots=True)
class LeadQuery:
    """Filters, which all must hold, and the order.

    Raises:
        InvalidInput: `q` holds a NUL, which no text of ours can.
    """

    state: LeadState | None = None
    q: str = ""
    """Part of a first name, last name or e-mail address, or a whole reference; empty finds all."""
    created_from: datetime | None = None
    """Aware; this very moment included."""
    created_to: datetime | None = None
    """Aware; this very moment excluded."""
    flagged: bool | None = None
    sort: LeadSort = LeadSort.CREATED_AT_DESCENDING

    def __post_init__(self) -> None:
        if "\x00" in self.q:
            raise InvalidInput.of(
                FieldError("q", "forbidden_character", "Search for text without NUL characters.")
            )
