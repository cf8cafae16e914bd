"""What a browser may load into our pages (CSP Level 3); everything is served by ourselves."""

# `data:` in img-src: Pico draws its icons with it; a picture runs nothing.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Pages without a script."""

SCRIPTED_PAGE_POLICY = f"{PAGE_POLICY}; script-src 'self'"
"""Pages with a script of our own."""

FORM_POLICY = f"{SCRIPTED_PAGE_POLICY}; connect-src 'self'"
"""The public form: its script sends it and shows how far that has come."""

CONSOLE_POLICY = f"{SCRIPTED_PAGE_POLICY}; connect-src 'self'; frame-src 'self'"
"""Pages of the console: their scripts fetch parts of pages and listen for changes."""

# Both viewers write styles into the page; Redoc searches in a worker that it makes itself.
API_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The viewers of the API's description."""
