"""Which long passwords are among the first that are tried.

These are: a word of the blocklist, or one that belongs to the place or the person, alone, repeated
or with digits and signs around it; anything short repeated; a walk over the keyboard or along the
alphabet. A word beside others that are none of these is what makes a good passphrase.
"""

import re
from collections.abc import Iterable
from importlib.resources import files

from notion_backend.core.text import fold

_LONGEST_PATTERN = 64
"""Nobody tries patterns of this length, and generated passwords may hold anything."""
_SHORTEST_STRIDE = 4
_SHORTEST_NAME = 3
_DISGUISES = str.maketrans("@4310$5!7", "aaeiossit")

_LINES = (
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "zaq12wsxcde34rfvbgt56yhn",
)
_WALKS = tuple(walk for line in _LINES for walk in (line * 2, line[::-1] * 2))
_BLOCKLIST = files("notion_backend.core").joinpath("blocklist.txt").read_text("utf-8")
_WORDS = frozenset(
    word for line in _BLOCKLIST.splitlines() if not line.startswith("#") for word in line.split()
)


def is_guessable(password: str, names: Iterable[str]) -> bool:
    """Tell whether `password` is on the blocklist, a pattern, or made of `names` alone."""
    if len(password) >= _LONGEST_PATTERN:
        return False
    text = fold(password)
    plain = _letters_and_digits(text)
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    # In the bare text signs may stand for letters; what surrounds it is there to satisfy a rule.
    undisguised = bare.translate(_DISGUISES)
    words = {_unit(_letters_and_digits(word)) for word in (bare, undisguised)}
    return (
        plain in _WORDS
        or not words.isdisjoint(_WORDS)
        or _is_repetition(plain, text)
        or _is_walk(plain)
        or _consists_of(re.sub(r"\d", "", plain), _parts(names))
    )


def _letters_and_digits(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _unit(text: str) -> str:
    """Return what `text` repeats at least twice, the last time perhaps cut short; else `text`."""
    for length in range(1, len(text) // 2 + 1):
        if text[length:] == text[:-length]:
            return text[:length]
    return text


def _is_repetition(plain: str, text: str) -> bool:
    # Lists of leaked passwords hold runs of signs, too; a few digits beside emoji are no run.
    if 2 * len(plain) > len(text):
        return _unit(plain) != plain
    return text.isascii() and _unit(text) != text


def _is_walk(plain: str) -> bool:
    """Tell whether strides of at least four neighbouring keys or letters make it up."""
    rest = plain
    while rest:
        stride = next(
            (
                length
                for length in range(len(rest), _SHORTEST_STRIDE - 1, -1)
                if any(rest[:length] in walk for walk in _WALKS)
            ),
            0,
        )
        if not stride:
            # A few digits at the end do not help: qwertyuiop1234567, then 99.
            return rest != plain and rest.isdecimal() and len(rest) < _SHORTEST_STRIDE
        rest = rest[stride:]
    return bool(plain)


def _parts(names: Iterable[str]) -> set[str]:
    parts: set[str] = set()
    for name in names:
        words = re.findall(r"[^\W\d_]+", fold(name))
        parts.update(word for word in words if len(word) >= _SHORTEST_NAME)
    return parts


def _consists_of(letters: str, parts: set[str]) -> bool:
    """Tell whether `letters` are some of `parts`, one behind the other."""
    reachable = [True] + [False] * len(letters)
    for start in range(len(letters)):
        if reachable[start]:
            for part in parts:
                if letters.startswith(part, start):
                    reachable[start + len(part)] = True
    return bool(letters) and reachable[-1]
