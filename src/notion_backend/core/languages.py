"""The languages of pages and mails. English is written in the code; catalogues hold the others.

A catalogue is `locales/<language>/LC_MESSAGES/messages.po`, compiled beside it; `scripts/messages`
brings both up to date.
"""

import gettext
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from notion_backend.core.sentences import Sentence

_CATALOGUES = Path(__file__).parent / "locales"
_DOMAIN = "messages"
# One range of Accept-Language with its weight (RFC 9110 §12.5.4); what is no such range is ignored.
_RANGE = re.compile(
    r"\s*(?P<primary>[A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*"
    r"(?:\s*;\s*[qQ]=(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)
_MOST_RANGES = 20


class Language(StrEnum):
    """A language that everything is said in, by its ISO 639-1 code."""

    ENGLISH = "en"
    GERMAN = "de"

    @property
    def own_name(self) -> str:
        """What its speakers call it."""
        return {"en": "English", "de": "Deutsch"}[self]


def preferred_language(accept_language: str, default: Language) -> Language:
    """Return the first of our languages that an Accept-Language header asks for.

    Regions are ignored: `de-CH` finds German. `default` is what a header without any of ours, or
    `*`, gets.
    """
    best, best_weight = default, 0.0
    for text in accept_language.split(",", _MOST_RANGES)[:_MOST_RANGES]:
        match = _RANGE.fullmatch(text)
        if match is None:
            continue
        weight = float(match["weight"] or 1)
        primary = match["primary"].lower()
        if weight > best_weight and (primary == "*" or primary in set(Language)):
            best = default if primary == "*" else Language(primary)
            best_weight = weight
    return best


def known_language(code: object) -> Language | None:
    """Return the language with this code; None if it is none of ours."""
    try:
        return Language(str(code))
    except ValueError:
        return None


def in_language(language: Language, sentence: str) -> str:
    """Say a sentence in this language; one that no catalogue holds stays English."""
    if isinstance(sentence, Sentence):
        values = {
            name: in_language(language, value) if isinstance(value, Sentence) else value
            for name, value in sentence.values.items()
        }
        return _catalogue(language).gettext(sentence.template).format_map(values)
    # The empty text is the catalogue's own header.
    return _catalogue(language).gettext(sentence) if sentence else sentence


def speak_languages(environment: Environment) -> None:
    """Let templates say `_("…")` and `{% trans %}…{% endtrans %}` in the language of `language`.

    A macro knows that name only when it is imported `with context`.
    """
    environment.add_extension("jinja2.ext.i18n")
    # mypy does not know what the extension adds.
    extended: Any = environment
    extended.install_gettext_callables(_gettext, _ngettext, newstyle=True)
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters["said"] = _said


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _catalogue(_language_in(context)).gettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    return _catalogue(_language_in(context)).ngettext(one, many, number)


@pass_context
def _said(context: Context, sentence: str) -> str:
    return in_language(_language_in(context), sentence)


def _language_in(context: Mapping[str, Any] | Context) -> Language:
    language = context.get("language")
    return language if isinstance(language, Language) else Language.ENGLISH


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language is Language.ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation(_DOMAIN, _CATALOGUES, languages=[language])
