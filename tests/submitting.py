"""Submissions as they arrive, for tests of what becomes of them."""

import hashlib
import io
from pathlib import Path

from notion_backend.application.flags import Flag
from notion_backend.application.intake.submissions import Submission, UploadedFile, check_submission

RESUMES = Path(__file__).parent / "fixtures" / "resumes"


def an_upload(filename: str = "resume.pdf", content: bytes | None = None) -> UploadedFile:
    """A file as the form reader hands it on; a real PDF unless said otherwise."""
    content = (RESUMES / "resume.pdf").read_bytes() if content is None else content
    digest = hashlib.sha256(content).hexdigest()
    return UploadedFile(filename, io.BytesIO(content), len(content), digest)


def a_submission(
    *,
    first_name: str = "Zoë",
    last_name: str = "Ångström",
    email: str = "zoe@example.com",
    upload: UploadedFile | None = None,
    key: str | None = None,
    suspicions: tuple[Flag, ...] = (),
) -> Submission:
    """A form that breaks no rule."""
    return check_submission(
        {"first_name": first_name, "last_name": last_name, "email": email},
        upload or an_upload(),
        idempotency_key=key,
        address="192.0.2.7",
        suspicions=suspicions,
    )
