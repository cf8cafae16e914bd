from hypothesis import example, given
from hypothesis import strategies as st

from notion_backend.application.leads.csv_cells import guarded, unguarded

SIGNS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
CELLS = st.text(st.sampled_from("'aé\"" + "".join(SIGNS)) | st.characters(), max_size=12)


@given(CELLS)
@example("'=1")
@example("''=1")
@example("'")
@example("O'Brien")
def test_a_guard_comes_off_again_and_leaves_the_text_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(CELLS)
def test_no_guarded_cell_begins_like_a_formula(text: str) -> None:
    assert not guarded(text).startswith(SIGNS)


@given(CELLS)
def test_a_text_that_is_no_formula_stays_as_it_is(text: str) -> None:
    if not text.lstrip("'").startswith(SIGNS):
        assert guarded(text) == unguarded(text) == text
