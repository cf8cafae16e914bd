import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from notion_backend.core.text import fold


def test_case_and_composition_do_not_matter() -> None:
    assert fold("STRASSE") == fold("straße")
    assert fold("ÅNGSTRÖM") == fold("a\u030angstro\u0308m")
    assert fold("İ") != fold("i")


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert unicodedata.is_normalized("NFC", once)
