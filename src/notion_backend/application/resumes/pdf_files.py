"""PDF: where its header may stand, and what its bytes say of encryption and active content.

The bytes are searched, never parsed: what lies in compressed object streams is not seen. The flags
are a hint for the reader; the file is never shown by us in any case.
"""

import re
from functools import partial
from itertools import chain
from typing import IO

from notion_backend.application.resumes.resume_kinds import (
    ACTIVE_CONTENT,
    CHUNK_BYTES,
    ENCRYPTED,
    PDF,
    ResumeKind,
)
from notion_backend.application.resumes.text_files import looks_foreign

_HEADER = b"%PDF-"
_END_OF_FILE = b"\n"

_NAME_END = rb"(?=[\x00\t\n\f\r ()<>\[\]{}/%])"
_ENCRYPTION = re.compile(rb"/Encrypt" + _NAME_END)
# An array behind /OpenAction only names the page to begin with, as most word processors write it.
_ACTIVE_CONTENT = re.compile(
    rb"/(?:J(?:S|avaScript)|Launch|EmbeddedFiles?|OpenAction(?!\s*\[))" + _NAME_END
)
_ESCAPED_LETTER = re.compile(rb"#([46][1-9A-Fa-f]|[57][0-9Aa])")
_MOST_ESCAPES = 1_000
"""Letters read in a chunk that are written in hexadecimal, which only a disguise does."""

_KEPT_BYTES = 64
"""Bytes searched again with the next chunk: the longest name and some space behind it."""


def holds_header(head: bytes, *, anywhere: bool) -> bool:
    """Tell whether `head`, a file's first 1,024 bytes, holds a PDF's header.

    `anywhere`: other bytes may precede it (PDF 1.7, implementation note 13), but not the beginning
    of a page, a program or a picture.
    """
    offset = head.find(_HEADER)
    return offset == 0 or (
        anywhere and offset > 0 and not looks_foreign(head[:offset], strictly=True)
    )


def identify(file: IO[bytes]) -> ResumeKind:
    """Return PDF, flagged as encrypted or as holding active content where its bytes say so."""
    encrypted = active = False
    file.seek(0)
    window = b""
    for chunk in chain(iter(partial(file.read, CHUNK_BYTES), b""), (_END_OF_FILE,)):
        window = _with_plain_letters(window[-_KEPT_BYTES:] + chunk)
        encrypted = encrypted or _ENCRYPTION.search(window) is not None
        active = active or _ACTIVE_CONTENT.search(window) is not None
    flags = ((ENCRYPTED, encrypted), (ACTIVE_CONTENT, active))
    return ResumeKind(PDF, tuple(flag for flag, raised in flags if raised))


def _with_plain_letters(content: bytes) -> bytes:
    """Return `content` with the letters of names that stand as `#xx` put plainly (§7.3.5)."""
    if b"#" not in content:
        return content
    return _ESCAPED_LETTER.sub(
        lambda escape: bytes.fromhex(escape[1].decode()), content, count=_MOST_ESCAPES
    )
