"""How text is compared: the same on every database."""

import unicodedata


def fold(text: str) -> str:
    """Return `text` as it is compared for search, sorting and uniqueness: NFC, casefolded, NFC.

    The second normalisation mends what casefolding takes apart (Unicode 16, section 3.13).
    """
    folded = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", folded)
