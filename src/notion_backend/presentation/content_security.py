"""What a browser may load into our pages (CSP Level 3); everything is served by ourselves."""

from collections.abc import Collection

FRAMED_BY_US = "frame-ancestors 'self'"
"""How the policy of a page that may be framed goes on; X-Frame-Options cannot say it."""

# `data:` in img-src: Pico draws its icons with it; a picture runs nothing.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Pages without a script."""

SCRIPTED_PAGE_POLICY = f"{PAGE_POLICY}; script-src 'self'"
"""Pages with a script of our own."""

PUBLIC_POLICY = SCRIPTED_PAGE_POLICY
"""What strangers see: a script tells a page around it how high it is."""

FORM_POLICY = f"{PUBLIC_POLICY}; connect-src 'self'; worker-src 'self'"
"""The public form: its scripts send it, show how far that has come, and prove work."""

CONSOLE_POLICY = f"{SCRIPTED_PAGE_POLICY}; connect-src 'self'; frame-src 'self'"
"""Pages of the console: their scripts fetch parts of pages and listen for changes."""

PREVIEW_POLICY = (
    f"sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self'; "
    f"img-src data: blob:; font-src data: blob:; base-uri 'none'; {FRAMED_BY_US}"
)
"""The frame that draws what strangers sent: an origin of its own, and no network."""


def embeddable(policy: str, origins: Collection[str]) -> str:
    """Return a policy by which pages of these origins, and our own, may show a page in a frame."""
    if not origins:
        return policy
    return policy.replace("frame-ancestors 'none'", " ".join((FRAMED_BY_US, *origins)))


# Both viewers write styles into the page; Redoc searches in a worker that it makes itself.
API_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The viewers of the API's description."""
