"""Pictures that pages may show, told by their content."""

import re

MAX_PICTURE_BYTES = 200_000

SVG = "image/svg+xml"
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
# What may stand before the root element: a mark, a declaration, comments, a document type.
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?"
    rb"(?:<!--(?:(?!-->).)*-->\s*|<!DOCTYPE\s+svg[^>\[]*>\s*)*<svg[\s>]",
    re.DOTALL,
)


def picture_type(content: bytes) -> str | None:
    """Return the media type of a PNG, JPEG, WebP or SVG picture; None if it is none of them."""
    for signature, media_type in _SIGNATURES:
        if signature.match(content):
            return media_type
    return SVG if _SVG.match(content) else None
