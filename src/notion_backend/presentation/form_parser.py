"""Reads multipart/form-data (RFC 7578) piece by piece into text fields and one file.

The bytes are taken apart by python-multipart; the limits around it are ours. Every limit is on
what is stored or on what costs time, so that no body is dearer than its size.
"""

import logging
import re
from functools import lru_cache
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from notion_backend.core.errors import (
    FieldError,
    InvalidInput,
    MalformedRequest,
    UnsupportedMediaType,
)
from notion_backend.core.sentences import say

MAX_TEXT_PARTS = 20
MAX_TEXT_BYTES = 64 * 1024
MAX_PART_HEADERS = 16
MAX_PART_HEADER_BYTES = 8 * 1024
MAX_OUTSIDE_BYTES = 64 * 1024
"""Before the first part and after the last one."""
SLICE_BYTES = 64 * 1024

_MAX_DELIMITERS = MAX_TEXT_PARTS + 3
_MAX_CONTENT_TYPE = 1024
# RFC 2046 §5.1.1: 1 to 70 of these, the last one not a space.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PLAIN_ENCODINGS = (b"7bit", b"8bit", b"binary")

# The library logs pieces of the body it cannot read.
_silent = logging.getLogger("notion_backend.multipart")
_silent.disabled = True


class FileSink(Protocol):
    """Takes the content of the one file."""

    def add(self, data: bytes) -> None:
        """Take the next bytes."""


def boundary_of(content_type: bytes | None) -> bytes:
    """Return the boundary that this `Content-Type` names.

    Raises:
        UnsupportedMediaType: it is not multipart/form-data.
        MalformedRequest: there is no boundary, or RFC 2046 does not allow it.
    """
    media_type = (content_type or b"").partition(b";")[0].strip().lower()
    if content_type is None or media_type != b"multipart/form-data":
        raise UnsupportedMediaType("Send the form as multipart/form-data.")
    if len(content_type) > _MAX_CONTENT_TYPE:
        raise MalformedRequest("The Content-Type is too long.")
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedRequest("Send a boundary of 1 to 70 characters as RFC 2046 allows them.")
    return boundary


class FormParser:
    """Feed it the body with `feed`, then call `finish`.

    `fields` holds the text parts, `filename` the name of the file, None as long as there is none.
    Raises MalformedRequest for a body that cannot be read, InvalidInput for a part that may not be.
    """

    def __init__(self, boundary: bytes, file_field: str, sink: FileSink) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self._file_field = file_field
        self._sink = sink
        self._delimiter = b"\r\n--" + boundary
        self._delimiters = 0
        self._outside = 0
        self._started = self._ended = False
        self._names: set[str] = set()
        self._text_parts = 0
        self._header_name = self._header_value = b""
        self._disposition: bytes | None = None
        self._field = ""
        self._text: bytearray | None = None
        self._discard = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._start_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )
        self._parser.logger = _silent

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, `SLICE_BYTES` at most."""
        if self._ended or not self._started:
            self._outside += len(data)
        # What follows a delimiter is read byte by byte, so many of them would cost too much time.
        self._delimiters += data.count(self._delimiter)
        if self._delimiters > _MAX_DELIMITERS:
            raise MalformedRequest(
                say("Send at most {most} fields and one file.", most=MAX_TEXT_PARTS)
            )
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedRequest("The multipart body is broken; send it again.") from error
        if self._parser.state == MultipartState.BOUNDARY_PADDING:
            raise MalformedRequest("Send no space after a boundary.")
        if (self._ended or not self._started) and self._outside > MAX_OUTSIDE_BYTES:
            raise MalformedRequest("There is too much text before or after the form.")

    def finish(self) -> None:
        """Say that the body has ended."""
        if not self._ended:
            raise MalformedRequest("The form was cut off; send it again.")

    def _start_part(self) -> None:
        self._started = True
        self._disposition = self._text = None

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        name, value = self._header_name.lower(), self._header_value
        self._header_name = self._header_value = b""
        if name == b"content-disposition":
            if self._disposition is not None:
                raise MalformedRequest("Name each part with one Content-Disposition.")
            self._disposition = value
        elif name == b"content-transfer-encoding" and value.strip().lower() not in _PLAIN_ENCODINGS:
            raise MalformedRequest("Send each part as it is, without a transfer encoding.")

    def _end_headers(self) -> None:
        # What names a file is of one person, and is not kept.
        plain = self._disposition is None or b"filename" not in self._disposition
        read = _read_disposition if plain else parse_options_header
        kind, options = read(self._disposition)
        if kind != b"form-data" or not options.get(b"name"):
            raise MalformedRequest("Give each part a Content-Disposition: form-data with a name.")
        name = _text_of(options[b"name"], "form")
        if name in self._names:
            raise InvalidInput.of(FieldError(name[:100], "repeated", "Send this field once."))
        self._names.add(name)
        self._field = name
        # RFC 7578 §4.2 forbids `filename*`, so the plain name is the only one there is.
        filename = options.get(b"filename")
        if filename is None:
            self._begin_text()
        else:
            self._begin_file(_text_of(filename, name))

    def _begin_text(self) -> None:
        self._text_parts += 1
        if self._text_parts > MAX_TEXT_PARTS:
            raise MalformedRequest(say("Send at most {most} fields.", most=MAX_TEXT_PARTS))
        if self._field == self._file_field:
            raise InvalidInput.of(FieldError(self._field, "required", "Send this as a file."))
        self._text = bytearray()

    def _begin_file(self, filename: str) -> None:
        # A browser sends an empty name where no file was chosen (HTML, "constructing entry list").
        self._discard = not filename
        if self._discard:
            return
        if self._field != self._file_field:
            raise InvalidInput.of(FieldError(self._field[:100], "not_a_file", "Send this as text."))
        self.filename = filename

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is not None:
            self._text += data[start:end]
            if len(self._text) > MAX_TEXT_BYTES:
                raise InvalidInput.of(FieldError(self._field[:100], "too_long", "Shorten this."))
        elif not self._discard:
            self._sink.add(data[start:end])

    def _end_part(self) -> None:
        if self._text is not None:
            self.fields[self._field] = _text_of(bytes(self._text), self._field)

    def _end(self) -> None:
        self._ended = True
        self._outside = 0


@lru_cache(maxsize=256)
def _read_disposition(header: bytes | None) -> tuple[bytes, dict[bytes, bytes]]:
    """Read what most forms have in common with the one before; nobody changes the answer."""
    return parse_options_header(header)


def _text_of(data: bytes, field: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        field_error = FieldError(field[:100], "encoding", "Send this text as UTF-8.")
        raise InvalidInput.of(field_error) from error
