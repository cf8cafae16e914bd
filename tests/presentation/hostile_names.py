"""Names that have broken pages, and how a page has to write them."""

HOSTILE = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}",
    "🧑\u200d🚀" * 60,
    "مرحبا",
    "x" * 100,
    'O\'Brien & "Söhne"',
    "%(count)s %s",
    "Null",
]


def as_shown(text: str) -> str:
    """Text as a page has to write it."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;")):
        text = text.replace(character, entity)
    return text.replace('"', "&#34;")
