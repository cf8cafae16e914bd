"""Which kind of résumé a file is: by its extension and by its content, which must both be good.

Nothing is parsed beyond headers and directories and nothing is inflated, so that no file can make
the process work or reach out (ASVS V5.2.2, V5.2.3). At most a few mebibytes are in memory.
"""

from typing import IO

from notion_backend.application.resumes import compound_files, office_files, pdf_files, text_files
from notion_backend.application.resumes.resume_kinds import (
    EXTENSIONS,
    RTF,
    TXT,
    ResumeKind,
    empty,
    wrong_type,
)

_HEAD_BYTES = 1024
_RTF_SIGNATURE = b"{\\rtf"


def identify(filename: str, file: IO[bytes], size: int) -> ResumeKind:
    """Return the media type of the content, with flags, and leave the file at its beginning.

    The first bytes decide; a PDF alone may have other bytes before its header. Extension and
    content may differ within the list: an RTF named `.doc` is an RTF.

    Args:
        filename: as `clean_filename` returns it.
        file: seekable and complete.
        size: its length in bytes.

    Raises:
        InvalidInput: `resume_empty`, or `resume_type` for anything that is not on the list.
    """
    if size == 0:
        raise empty()
    _, dot, extension = filename.rpartition(".")
    extension = extension.lower()
    if not dot or extension not in EXTENSIONS:
        raise wrong_type("The name of this file does not end like that of a résumé.")
    try:
        return _by_content(file, size, named_text=extension == "txt")
    finally:
        file.seek(0)


def _by_content(file: IO[bytes], size: int, *, named_text: bool) -> ResumeKind:
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head.startswith(compound_files.SIGNATURE):
        return compound_files.identify(file, size)
    if head.startswith(office_files.SIGNATURE):
        return office_files.identify(file, size)
    if head.startswith(_RTF_SIGNATURE):
        return ResumeKind(RTF)
    if pdf_files.holds_header(head, anywhere=not named_text):
        return pdf_files.identify(file)
    if text_files.is_text(file, named_text=named_text):
        return ResumeKind(TXT)
    raise wrong_type()
