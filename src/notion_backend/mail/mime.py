"""The bytes of a message with a text and an HTML part (RFC 5322, RFC 2046 §5.1.4).

The standard library writes the headers that hold names. The rest is assembled here: its generator
parses and folds every header again and takes five times as long, most of a worker's time.
"""

import re
from binascii import b2a_qp
from collections.abc import Mapping
from datetime import UTC, datetime
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

_ENDING = b"\r\n"
_BLANK_LINES = re.compile(r"\r\n[ \t]*(?=\r\n)")


@lru_cache(maxsize=256)
def header(name: str, value: str, *, utf8: bool) -> str:
    """Return one header, encoded and folded, with its line end; the firm's own come from a cache.

    Raises:
        ValueError: `value` holds a line break.
    """
    policy = SMTP.clone(utf8=utf8)
    folded: str = policy.fold(*policy.header_store_parse(name, value))
    # Between two words too long to fold it leaves a blank line, which ends the headers for
    # many readers and is forbidden (RFC 5322 §3.2.2).
    return _BLANK_LINES.sub("", folded)


def date_header(moment: datetime) -> str:
    """Return the Date header, in UTC."""
    return f"Date: {format_datetime(moment.astimezone(UTC))}\r\n"


def alternative(headers: str, parts: Mapping[str, str], boundary: str) -> bytes:
    """Return the message: `headers` as they are, then each part, from plain to rich.

    `parts` maps a subtype of text to its content, which is sent as quoted-printable: ASCII, in
    short lines. `boundary` must not occur in it; one that holds "=_" cannot.

    Raises:
        UnicodeEncodeError: a text holds half a surrogate pair.
    """
    head = (
        f"{headers}MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    delimiter = f"--{boundary}".encode("ascii")
    pieces = [head.encode("utf-8")]
    for subtype, content in parts.items():
        part_head = (
            f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        pieces += [delimiter, _ENDING, part_head.encode("ascii"), _quoted_printable(content)]
    return b"".join([*pieces, delimiter, b"--", _ENDING])


def _quoted_printable(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return b2a_qp(lines.encode("utf-8")).replace(b"\n", _ENDING)
