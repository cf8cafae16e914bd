"""Files on their way out: safe in a browser, streamed, cut off rather than silently short."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from notion_backend.application.leads.exports import ExportFormat
from notion_backend.application.leads.leads import ResumeDownload
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import BusinessError

_NOT_PLAIN = re.compile(r"[^ !#$&+\-.0-9@A-Z^_`a-z{}~()\[\],]")
"""What some client misreads between the quotes: RFC 6266 appendix D names %, \\ and \"."""

_SAFE_IN_EXTENDED = "!#$&+-.^_`|~"
"""`attr-char` of RFC 8187 §3.2.1 beside letters and digits."""

_EXPORT_TYPES: Mapping[ExportFormat, str] = {
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.JSONL: "application/x-ndjson; charset=utf-8",
}

_log = structlog.get_logger(__name__)


class Download(StreamingResponse):
    """An attachment that no browser opens as a page (ASVS V3.2.1).

    When a piece cannot be read the connection ends without the end of the answer, which every
    client notices.
    """

    def __init__(self, pieces: Iterable[bytes], filename: str, media_type: str, **headers: str):
        fixed = {
            "content-type": media_type,
            "content-disposition": content_disposition(filename),
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox; default-src 'none'",
            "cache-control": "no-store",
            "accept-ranges": "none",
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(pieces, headers=fixed | named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            return
        except BusinessError as error:
            _log.warning("download_cut_off", reason=error.reason)


def export_download(pieces: Iterable[bytes], export_format: ExportFormat) -> Download:
    """Return exported leads as a file that is named for the day."""
    filename = f"leads-{utcnow():%Y%m%d}.{export_format}"
    return Download(pieces, filename, _EXPORT_TYPES[export_format])


def resume_download(found: ResumeDownload) -> Download:
    """Return a résumé as the answer to whoever asked for it."""
    return Download(
        found.pieces,
        found.resume.filename,
        found.resume.media_type,
        content_length=str(found.resume.size),
        etag=f'"{found.resume.sha256}"',
    )


def content_disposition(filename: str) -> str:
    """Return the header that names a file, also one in Unicode (RFC 6266 §4.3, RFC 8187 §3.2)."""
    plain = _NOT_PLAIN.sub("_", filename)
    header = f'attachment; filename="{plain}"'
    if plain == filename:
        return header
    extended = quote(filename, safe=_SAFE_IN_EXTENDED, errors="replace")
    return f"{header}; filename*=UTF-8''{extended}"
