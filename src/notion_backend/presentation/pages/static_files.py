"""Style sheets, scripts and pictures: served by ourselves, kept by browsers until they change."""

import gzip
import hashlib
import os
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

STATIC_PATH = "/static"
_FOLDER = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is compressed: files of ours alone, since a page that mixes a secret with what somebody
typed would tell the secret by its compressed length (BREACH)."""


@cache
def static_url(name: str) -> str:
    """Return the path of a file under `static/`; it changes with the file's content."""
    return f"{STATIC_PATH}/{name}?v={_version(_FOLDER / name)}"


def static_file(name: str) -> Path:
    """Return where a file under `static/` is, for an address of its own."""
    return _FOLDER / name


class StaticPages(StaticFiles):
    """The folder `static/`, read only.

    Under the address that `static_url` gives, a file is kept for a year (RFC 8246); under any other
    a browser asks whether it has changed.
    """

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with a file that was found."""
        headers = Headers(scope=scope)
        path = Path(full_path)
        response: Response
        if path.suffix in _MEDIA_TYPES and _takes_gzip(headers):
            response = _compressed(path)
            if self.is_not_modified(response.headers, headers):
                response = NotModifiedResponse(response.headers)
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        if path.suffix in _MEDIA_TYPES:
            response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = caching(scope, _version(path))
        # The frame that shows a résumé is of another origin than these files, which hold no secret.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def caching(scope: Scope, version: str) -> str:
    """Return the `Cache-Control` of a file: only under its current `?v=` is it kept for good."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
    return _FOREVER if asked == [version] else _ASK_FIRST


def _takes_gzip(headers: Headers) -> bool:
    """Tell whether to compress; part of a file is always of the file as it is (RFC 9110 §14)."""
    accepted = {coding.strip() for coding in headers.get("accept-encoding", "").split(",")}
    return "gzip" in accepted and "range" not in headers


def _compressed(path: Path) -> Response:
    return Response(
        _gzipped(path),
        media_type=_MEDIA_TYPES[path.suffix],
        headers={"Content-Encoding": "gzip", "ETag": f'"{_version(path)}-gzip"'},
    )


@cache
def _gzipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


@cache
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
