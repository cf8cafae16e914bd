"""Checks of single settings; each raises ValueError with words for the person who wrote it."""

import ipaddress
import re
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from notion_backend.core.pictures import MAX_PICTURE_BYTES, picture_type

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME_OR_ADDRESS = r"(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]"
_HOST = re.compile(rf"{_NAME_OR_ADDRESS}|\*")
_ORIGIN = re.compile(rf"https?://(?:{_NAME_OR_ADDRESS})(?::\d{{1,5}})?")


def split_commas(value: object) -> object:
    """Turn `a, b` into ("a", "b"); leave what is no text alone."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def none_if_off(value: object) -> object:
    """Read `off` as None; leave everything else alone."""
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


def check_mail_address(value: str) -> str:
    """Accept `a@b.example` and `Name <a@b.example>`; empty stays empty."""
    if not value:
        return value
    found = getaddresses([value])
    if len(found) != 1:
        raise ValueError("must be one address")
    address = found[0][1]
    check_line(value)
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None
    return value


def check_public_url(value: str) -> str:
    """Accept `https://host` with an optional port and path; no trailing slash is kept."""
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as https://host or http://host:port")
    if parts.path.rstrip("/"):
        raise ValueError("must not hold a path; the service needs a host name of its own")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must not hold a query, a fragment or credentials")
    return value.rstrip("/")


def check_redis_url(value: str) -> str:
    """Accept `redis://`, `rediss://` and `unix://` with something behind."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"redis", "rediss", "unix"} or not parts.netloc + parts.path):
        raise ValueError("write it as redis://HOST:PORT/NUMBER, rediss://… or unix://PATH")
    return value


def check_line(value: str) -> str:
    """Accept text without control characters."""
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not hold control characters")
    return value


def check_host(value: str) -> str:
    """Accept a host name or an address; empty stays empty."""
    if value and not re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", value):
        raise ValueError("is not a host name")
    return value


def check_folder(value: Path | None) -> Path | None:
    """Accept a folder that exists."""
    if value is not None and not value.is_dir():
        raise ValueError(f"{value} is not a folder")
    return value


def check_color(value: str) -> str:
    """Accept `#rrggbb`, kept in small letters; empty stays empty."""
    if value and not _COLOR.fullmatch(value):
        raise ValueError("write it as #rrggbb, such as #0a6c74")
    return value.lower()


def check_link(value: str) -> str:
    """Accept an address that a page may lead to: https, or http on this machine; or nothing."""
    if not value:
        return value
    check_line(value)
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in value:
        raise ValueError("write it as https://host/path")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https")
    return value


def check_picture(value: Path | None) -> Path | None:
    """Accept a file that pages can show: PNG, SVG, JPEG or WebP, told by its content."""
    if value is None:
        return None
    try:
        with value.open("rb") as file:
            content = file.read(MAX_PICTURE_BYTES + 1)
    except OSError:
        raise ValueError(f"{value} is not a file that can be read") from None
    if len(content) > MAX_PICTURE_BYTES:
        raise ValueError(f"{value} has more than {MAX_PICTURE_BYTES} bytes")
    if picture_type(content) is None:
        raise ValueError(f"{value} is not a PNG, SVG, JPEG or WebP picture")
    return value


def check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Accept addresses and CIDR networks."""
    for network in value:
        ipaddress.ip_network(network, strict=False)
    return value


def check_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Accept host names without port, `*.example.com`, and `*` for any."""
    for host in value:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is not a host name; write it without scheme and port")
    return value


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Accept origins: scheme, host and optional port, nothing behind (RFC 6454 §6.2)."""
    for origin in value:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is not an origin; write it as https://host or https://host:port, with"
                " nothing behind, and a name of other letters as browsers send it (xn--…)"
            )
    return value
