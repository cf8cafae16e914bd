"""The firm's colour and logo as files that pages load: `/look.css` and `/look/logo`."""

import hashlib
from dataclasses import dataclass
from typing import Self

from fastapi import APIRouter, Request
from starlette.responses import Response

from notion_backend.core.config import Settings
from notion_backend.core.errors import NotFound
from notion_backend.core.pictures import SVG, picture_type
from notion_backend.presentation.pages.look import style_sheet
from notion_backend.presentation.pages.static_files import caching

router = APIRouter(include_in_schema=False)

STYLE_PATH = "/look.css"
LOGO_PATH = "/look/logo"
# A picture may be opened by itself; then no script in it may run and nothing else may be loaded.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, slots=True)
class LookFile:
    """A file that the settings make, kept in memory."""

    path: str
    content: bytes
    media_type: str

    @property
    def version(self) -> str:
        """What changes with the content."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    @property
    def url(self) -> str:
        """The address that pages name."""
        return f"{self.path}?v={self.version}"


@dataclass(frozen=True, slots=True)
class Look:
    """What BRAND_COLOR and BRAND_LOGO make; None for what is not set."""

    style: LookFile | None
    logo: LookFile | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the files once, at the start."""
        style = logo = None
        if settings.brand_color:
            sheet = style_sheet(settings.brand_color).encode()
            style = LookFile(STYLE_PATH, sheet, "text/css; charset=utf-8")
        if settings.brand_logo is not None:
            content = settings.brand_logo.read_bytes()
            logo = LookFile(LOGO_PATH, content, picture_type(content) or SVG)
        return cls(style, logo)

    @property
    def style_url(self) -> str:
        """Where the style sheet is; empty without one."""
        return self.style.url if self.style else ""

    @property
    def logo_url(self) -> str:
        """Where the logo is; empty without one."""
        return self.logo.url if self.logo else ""


@router.get(STYLE_PATH)
def show_style(request: Request) -> Response:
    """Answer with the style sheet of the firm's colour."""
    look: Look = request.app.state.look
    return _answer(request, look.style)


@router.get(LOGO_PATH)
def show_logo(request: Request) -> Response:
    """Answer with the firm's logo."""
    look: Look = request.app.state.look
    return _answer(request, look.logo)


def _answer(request: Request, file: LookFile | None) -> Response:
    if file is None:
        raise NotFound("There is nothing at this address; check it.")
    headers = {"Cache-Control": caching(request.scope, file.version)}
    if file.media_type == SVG:
        headers["Content-Security-Policy"] = _SVG_POLICY
    return Response(file.content, media_type=file.media_type, headers=headers)
