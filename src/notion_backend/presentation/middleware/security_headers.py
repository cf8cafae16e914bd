"""Headers that keep a browser from doing more with an answer than it should (ASVS V3.4)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notion_backend.presentation.content_security import FRAMED_BY_US

DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    # `no-referrer` would make browsers send `Origin: null` with our own forms (Fetch standard).
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""What every answer has."""
_CSP, _FRAME_OPTIONS = b"content-security-policy", b"x-frame-options"
_FRAMED = FRAMED_BY_US.encode()
_OVER_TLS = (*DEFAULTS, (b"strict-transport-security", b"max-age=31536000; includeSubDomains"))


class SecurityHeaders:
    """Adds each of these headers to an answer, unless the route has set it itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                defaults = _OVER_TLS if scope["scheme"] == "https" else DEFAULTS
                if any(name.lower() == _CSP and _FRAMED in value for name, value in headers):
                    # This header knows no list of origins, and browsers would obey it too.
                    present.add(_FRAME_OPTIONS)
                headers += [header for header in defaults if header[0] not in present]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
