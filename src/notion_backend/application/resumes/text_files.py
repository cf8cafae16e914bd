"""Plain text: what it may hold, and what is not plain although it is text."""

import codecs
import re
from typing import IO

from notion_backend.application.resumes.resume_kinds import CHUNK_BYTES

_HEAD_BYTES = 1024
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UNDEFINED_IN_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")

_MARKUP = re.compile(r"<(?:[!?%]|[A-Za-z][\w:-]*[\s/>])")
_PROGRAM_SIGNATURES = ("MZ", "\x7fELF", "GIF8")


def is_text(file: IO[bytes], *, named_text: bool) -> bool:
    """Tell whether the whole file is plain text in UTF-8, UTF-16 with a mark, or Windows-1252.

    Of control characters only tab, line feed, form feed and carriage return may occur. Markup or
    a script at the start is no plain text (WHATWG MIME Sniffing §7.1). Unless it is named as text,
    it must not look like another type's beginning either.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if looks_foreign(head, strictly=not named_text):
        return False
    if head.startswith(_UTF_16_MARKS):
        return _is_utf_16(file)
    return _is_utf_8_or_windows_1252(file)


def looks_foreign(head: bytes, *, strictly: bool) -> bool:
    """Tell whether a file that begins like this is a page, a script, a program or a picture.

    Strictly: markup anywhere in `head` counts, and `MZ`, with which some names begin too.
    """
    encoding = "utf-16" if head.startswith(_UTF_16_MARKS) else "utf-8"
    start = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n\f\v")
    if start.startswith("#!") or _MARKUP.match(start):
        return True
    return strictly and (start.startswith(_PROGRAM_SIGNATURES) or _MARKUP.search(start) is not None)


def _is_utf_16(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        while chunk := file.read(CHUNK_BYTES):
            if _CONTROL_CHARACTERS.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf_8_or_windows_1252(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf_8 = windows_1252 = True
    while chunk := file.read(CHUNK_BYTES):
        if _CONTROL_BYTES.search(chunk):
            return False
        utf_8 = utf_8 and _decodes(decoder, chunk)
        windows_1252 = windows_1252 and not _UNDEFINED_IN_WINDOWS_1252.search(chunk)
    return windows_1252 or (utf_8 and _decodes(decoder, b"", final=True))


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
