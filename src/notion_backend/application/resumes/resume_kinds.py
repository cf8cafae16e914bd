"""What a résumé can be, and how the refusal of anything else is worded."""

from dataclasses import dataclass

from notion_backend.application.flags import Flag
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.sentences import say

PDF = "application/pdf"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
RTF = "application/rtf"
TXT = "text/plain"

EXTENSIONS = frozenset({"pdf", "doc", "docx", "odt", "rtf", "txt"})

CHUNK_BYTES = 1024 * 1024
"""How much of a file is in memory at a time."""


@dataclass(frozen=True, slots=True)
class ResumeKind:
    """The type that the content is of, and what is unusual about it."""

    media_type: str
    flags: tuple[Flag, ...] = ()


_UNREADABLE = say("This file is not a résumé that we can read.")
ENCRYPTED = Flag("resume_encrypted", "The résumé cannot be opened without its password.")
ACTIVE_CONTENT = Flag(
    "resume_active_content", "The résumé holds a script, an action or another file."
)


def empty() -> InvalidInput:
    """Build the refusal of a file with no content."""
    return _refused("resume_empty", "The file is empty. Choose the résumé again.")


def wrong_type(reason: str = _UNREADABLE) -> InvalidInput:
    """Build the refusal of a file that is of none of the accepted types, or breaks their rules."""
    return _refused(
        "resume_type",
        say("{reason} Send it as PDF, DOC, DOCX, ODT, RTF or TXT.", reason=say(reason)),
    )


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, code=code, errors=(FieldError("resume", code, message),))
