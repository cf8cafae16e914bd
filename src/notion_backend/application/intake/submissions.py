"""What a prospect sends, checked and ready to be stored."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from notion_backend.application.fields.personal_fields import clean_filename, clean_person
from notion_backend.application.fields.refusals import Refusals
from notion_backend.application.flags import Flag
from notion_backend.application.idempotency import check_idempotency_key
from notion_backend.application.resumes.resume_files import identify
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.languages import Language

CHUNK_BYTES = 1024 * 1024
PERSON_FIELDS = ("first_name", "last_name", "email")
RESUME_FIELD = "resume"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as it arrived: its name as sent, its content, size in bytes and SHA-256 in hex."""

    filename: str
    content: BinaryIO
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that breaks no rule. `upload` stays open until the lead is stored."""

    first_name: str
    last_name: str
    email: str
    filename: str
    media_type: str
    upload: UploadedFile
    flags: tuple[Flag, ...]
    """What is unusual about the résumé."""
    suspicions: tuple[Flag, ...]
    """What makes it look like a robot's; then its confirmation is held."""
    idempotency_key: str | None
    address: str | None
    """The client's address, kept with the event."""
    language: Language | None
    """What the prospect reads; None if nobody said."""

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that was sent: what tells a repeat from another submission."""
        parts = (self.first_name, self.last_name, self.email, self.filename, self.upload.sha256)
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the résumé in pieces of a megabyte."""
        self.upload.content.seek(0)
        while chunk := self.upload.content.read(CHUNK_BYTES):
            yield chunk


def check_submission(
    fields: Mapping[str, str],
    upload: UploadedFile | None,
    *,
    idempotency_key: str | None,
    address: str | None,
    suspicions: tuple[Flag, ...] = (),
    language: Language | None = None,
) -> Submission:
    """Return the submission, every field cleaned; fields that nobody asked for are left out.

    Raises:
        InvalidInput: naming every field that breaks a rule, not only the first.
        MalformedRequest: the idempotency key is not 1 to 255 visible ASCII characters.
    """
    check_idempotency_key(idempotency_key)
    refusals = Refusals()
    with refusals.gathering():
        person = clean_person({field: fields.get(field) for field in PERSON_FIELDS})
    with refusals.gathering():
        filename, upload = _named(upload)
        kind = identify(filename, upload.content, upload.size)
    refusals.raise_any()
    return Submission(
        **person,
        filename=filename,
        media_type=kind.media_type,
        upload=upload,
        flags=kind.flags,
        suspicions=suspicions,
        idempotency_key=idempotency_key,
        address=address,
        language=language,
    )


def _named(upload: UploadedFile | None) -> tuple[str, UploadedFile]:
    if upload is None:
        raise InvalidInput.of(FieldError(RESUME_FIELD, "required", "Choose a résumé to send."))
    return clean_filename(upload.filename), upload
