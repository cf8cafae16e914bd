"""Numbers in the addresses of pages."""

from notion_backend.core.errors import NotFound
from notion_backend.presentation.api.schemas import LARGEST_ID


def number_in_address(text: str, if_none: str) -> int:
    """Read the id that an address holds.

    Raises:
        NotFound: it is no number, so it names nothing; the sentence `if_none` says so.
    """
    if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)):
        number = int(text)
        if 1 <= number <= LARGEST_ID:
            return number
    raise NotFound(if_none)
