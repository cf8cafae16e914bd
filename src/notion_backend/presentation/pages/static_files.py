"""Style sheets, scripts and pictures: served by ourselves, kept by browsers until they change."""

import hashlib
import os
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_PATH = "/static"
_FOLDER = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


@cache
def static_url(name: str) -> str:
    """Return the path of a file under `static/`; it changes with the file's content."""
    return f"{STATIC_PATH}/{name}?v={_version(_FOLDER / name)}"


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
        response = super().file_response(full_path, stat_result, scope, status_code)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        is_current = asked == [_version(Path(full_path))]
        response.headers["Cache-Control"] = _FOREVER if is_current else _ASK_FIRST
        return response


@cache
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
