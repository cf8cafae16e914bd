"""Which language somebody asked for, and how a sentence is said in it."""

import pytest

from notion_backend.core.languages import Language, in_language, known_language, preferred_language
from notion_backend.core.sentences import say

DE, EN = Language.GERMAN, Language.ENGLISH


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", EN),
        ("de", DE),
        ("de-CH, en;q=0.8", DE),
        ("DE-ch", DE),
        ("fr, de;q=0.5, en;q=0.9", EN),
        ("en;q=0, de;q=0.1", DE),
        ("fr-FR, fr", EN),
        ("*", EN),
        ("*;q=0.5, de;q=0.4", EN),
        ("de;q=nonsense", EN),
        ("de;q=2", EN),
        (";;,,;q=1", EN),
        ("x" * 10_000, EN),
        (", ".join(["fr"] * 10_000) + ", de", EN),
    ],
)
def test_the_first_of_our_languages_is_taken(header: str, language: Language) -> None:
    assert preferred_language(header, EN) is language


def test_who_asks_for_none_of_ours_gets_the_default() -> None:
    assert preferred_language("fr", DE) is DE
    assert preferred_language("*", DE) is DE


@pytest.mark.parametrize("code", ["", "DE", "xx", None, "de/../en"])
def test_only_a_code_of_ours_names_a_language(code: object) -> None:
    assert known_language(code) is None
    assert known_language("de") is DE


def test_a_sentence_with_values_is_a_text_and_can_be_said_again() -> None:
    sentence = say("Use {longest} characters or fewer.", longest=7)
    assert sentence == "Use 7 characters or fewer."
    assert in_language(EN, sentence) == "Use 7 characters or fewer."
    assert "7" in in_language(DE, sentence)


def test_a_value_that_was_typed_is_not_taken_for_a_template() -> None:
    assert say("Send {name} once.", name="{0} {x}") == "Send {0} {x} once."
    assert in_language(DE, "") == ""
    assert in_language(DE, "nobody translates this {x}") == "nobody translates this {x}"
