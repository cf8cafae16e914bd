"""Which characters a text that people read may hold: none that controls, hides or turns it.

The sets follow Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control` properties, written out
so that they are the same on every Python. What is left of them is what writing needs: joiners
(emoji, Arabic, Indic scripts) and variation selectors (emoji, Japanese names), each only where it
changes the look of a character.
"""

import re
import unicodedata

_LONGEST_RUN_OF_MARKS = 8
_VIRAMA = 9
_BLANK_PATTERN = "\u2800"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HIDING = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_PLAIN = re.compile(r"[\x00-\xac\xae-\u02ff]*")
"""Letters of Western languages: nothing hides or joins here but the soft hyphen."""
_JOINERS = "\u200c\u200d"
_SELECTORS = re.compile(r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")

_BLACK_FLAG = "\U0001f3f4"
_SUBDIVISION_FLAGS = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    "\U000e007f"
)
"""England, Scotland and Wales: the only tag sequences that Unicode recommends for display."""


def holds_control(text: str) -> bool:
    """Tell whether `text` holds a control character, a line separator or a lone surrogate."""
    return _CONTROLS.search(text) is not None


def hides_or_turns(text: str) -> bool:
    """Tell whether `text` is not what it looks like.

    So are invisible characters, bidirectional controls, joiners and selectors with nothing to act
    on, and more than eight combining marks in a row. Time is linear; the caller bounds the length.
    """
    if _PLAIN.fullmatch(text):
        return False
    text = _SUBDIVISION_FLAGS.sub(_BLACK_FLAG, text)
    return (
        _HIDING.search(text) is not None
        or any(_acts_on_nothing(text, position) for position in range(len(text)))
        or _longest_run_of_marks(text) > _LONGEST_RUN_OF_MARKS
    )


def without_hiding(text: str) -> str:
    """Return `text` without its invisible characters and bidirectional controls."""
    return _HIDING.sub("", text)


def is_blank(text: str) -> bool:
    """Tell whether nothing of `text` leaves ink: spaces, joiners and marks without a base."""
    return all(
        not _shows(char) or char == _BLANK_PATTERN or unicodedata.category(char) in {"Mn", "Me"}
        for char in text
    )


def _acts_on_nothing(text: str, position: int) -> bool:
    char = text[position]
    joins = char in _JOINERS
    if not joins and not _SELECTORS.match(char):
        return False
    before = text[position - 1 : position]
    if not before or not _shows(before):
        return True
    if not joins:
        return _SELECTORS.match(before) is not None
    after = text[position + 1 : position + 2]
    # Malayalam and Sinhala words may end in virama and joiner, as the name മോഹന്‍ does.
    return not (after and _shows(after)) and unicodedata.combining(before) != _VIRAMA


def _shows(char: str) -> bool:
    return char not in _JOINERS and not unicodedata.category(char).startswith("Z")


def _longest_run_of_marks(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char).startswith("M") else 0
        longest = max(longest, run)
    return longest
