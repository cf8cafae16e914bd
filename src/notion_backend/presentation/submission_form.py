"""Reads a submitted form with its file from the request, as it arrives.

A small file stays in memory; a larger one goes to an unnamed temporary file, which is gone as soon
as it is closed, also when the process is killed.
"""

import hashlib
import io
import tempfile
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from anyio import to_thread
from starlette.requests import Request

from notion_backend.application.intake.submissions import UploadedFile
from notion_backend.core.errors import BusinessError, MalformedRequest, TooLarge, Unavailable
from notion_backend.core.sentences import say
from notion_backend.presentation.form_parser import SLICE_BYTES, FormParser, boundary_of

MEMORY_BYTES = 1024 * 1024
"""A file up to this size never touches the disk; a larger one is written in pieces of it."""

READABLE_TIMES = 4
"""Up to so many times the limit the form is still read, so that a page can keep the fields."""

_FORM_BYTES = 64 * 1024
_RETRY_SECONDS = 30


@dataclass(slots=True)
class SubmittedForm:
    """What was in the form; close it (or leave its `with` block) to let go of the file.

    `file` is None when none was sent, and when it was over the limit (`file_too_large`).
    """

    fields: dict[str, str]
    file: UploadedFile | None
    file_too_large: bool

    def close(self) -> None:
        """Drop the file."""
        if self.file is not None:
            self.file.content.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def read_form(
    request: Request, *, file_field: str, max_file_bytes: int, temporary_folder: Path | None = None
) -> SubmittedForm:
    """Read the whole form.

    Raises:
        UnsupportedMediaType: the body is not multipart/form-data.
        TooLarge: the body is over `READABLE_TIMES` the limit; nothing more of it is read.
        MalformedRequest: it cannot be read, is cut off, or has too many parts.
        InvalidInput: a field comes twice, is too long, not UTF-8, or a file where text belongs.
        Unavailable: the temporary folder is full.
        ClientDisconnect: the client went away.
    """
    max_body = READABLE_TIMES * max_file_bytes + _FORM_BYTES
    content_type, length = _framing(request)
    boundary = boundary_of(content_type)
    if length is not None and length > max_body:
        raise _too_large(max_file_bytes)
    spool = _Spool(max_file_bytes, temporary_folder)
    parser = FormParser(boundary, file_field, spool)
    try:
        await _read_body(request, parser, spool, max_body)
        file = None
        if parser.filename is not None and not spool.over:
            content = await spool.rewind()
            file = UploadedFile(parser.filename, content, spool.size, spool.sha256)
        return SubmittedForm(parser.fields, file, spool.over)
    except BaseException:
        spool.close()
        raise


async def read_first_fields(request: Request, *, file_field: str) -> dict[str, str]:
    """Return the text fields that stand before the file, to be shown again; nobody checks them.

    For a form that is refused unread: at most 64 KiB of it are looked at. What cannot be read, or
    comes later, is left out.

    Raises:
        ClientDisconnect: the client went away.
    """
    content_type, _ = _framing(request)
    received = 0
    fields: dict[str, str] = {}
    with suppress(BusinessError):
        parser = FormParser(boundary_of(content_type), file_field, _Spool(0, None))
        fields = parser.fields
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                parser.feed(chunk[: min(SLICE_BYTES, _FORM_BYTES - received)])
                received += len(chunk)
                if parser.filename is not None or received >= _FORM_BYTES:
                    break
    return fields


async def _read_body(request: Request, parser: FormParser, spool: "_Spool", max_body: int) -> None:
    received = 0
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            received += len(chunk)
            if received > max_body:
                raise _too_large(spool.limit)
            await _feed(parser, spool, chunk)
    parser.finish()


async def _feed(parser: FormParser, spool: "_Spool", chunk: bytes) -> None:
    for start in range(0, len(chunk), SLICE_BYTES):
        parser.feed(chunk if len(chunk) <= SLICE_BYTES else chunk[start : start + SLICE_BYTES])
        if spool.is_heavy:
            await spool.flush()


def _framing(request: Request) -> tuple[bytes | None, int | None]:
    content_type: bytes | None = None
    length: int | None = None
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            if content_type is not None:
                raise MalformedRequest("Send one Content-Type.")
            content_type = value
        elif name == b"content-length" and value.isdigit():
            length = int(value)
    return content_type, length


def _too_large(max_file_bytes: int) -> TooLarge:
    return TooLarge(
        say("The file may have at most {bytes} bytes; send a smaller one.", bytes=max_file_bytes)
    )


class _Spool:
    """Holds the file's bytes: in memory first, on disk once there are more than MEMORY_BYTES."""

    def __init__(self, limit: int, folder: Path | None) -> None:
        self.size = 0
        self.over = False
        self.limit = limit
        self._folder = folder
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._pending = 0
        self._disk: BinaryIO | None = None

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def is_heavy(self) -> bool:
        return self._pending > MEMORY_BYTES

    def add(self, data: bytes) -> None:
        if self.over:
            return
        self.size += len(data)
        if self.size > self.limit:
            self.over = True
            self.close()
            return
        self._hash.update(data)
        self._pieces.append(data)
        self._pending += len(data)

    async def flush(self) -> None:
        await to_thread.run_sync(self._write)

    async def rewind(self) -> BinaryIO:
        if self._disk is None:
            return io.BytesIO(b"".join(self._pieces))
        await self.flush()
        self._disk.seek(0)
        return self._disk

    def close(self) -> None:
        self._pieces = []
        self._pending = 0
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _write(self) -> None:
        pieces, self._pieces, self._pending = self._pieces, [], 0
        try:
            if self._disk is None:
                self._disk = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            self._disk.write(b"".join(pieces))
            self._disk.flush()
        except OSError as error:
            sentence = say("The file cannot be taken in now; try again later.")
            raise Unavailable(sentence, retry_after=_RETRY_SECONDS) from error
