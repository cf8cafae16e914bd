import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.paging import Cursors
from notion_backend.core.errors import InvalidInput

CURSORS = Cursors(b"s" * 32)


@given(st.text(), st.lists(st.text() | st.integers(), max_size=4))
def test_a_cursor_opens_to_the_position_it_was_made_from(
    scope: str, position: list[str | int]
) -> None:
    assert CURSORS.open(scope, CURSORS.seal(scope, position)) == position


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "made-up", "é", "A" * 5000, base64.urlsafe_b64encode(b"0" * 16 + b"[1]").decode()],
)
def test_a_made_up_cursor_is_told(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        CURSORS.open("leads", cursor)
    assert refused.value.errors[0].field == "cursor"


def test_a_cursor_that_is_cut_changed_or_of_another_list_is_told() -> None:
    cursor = CURSORS.seal("leads", ["2026-11-23", 7])
    for scope, given_back in (
        ("leads", cursor[:-2]),
        ("leads", cursor[:-1] + ("A" if cursor[-1] != "A" else "B")),
        ("users", cursor),
    ):
        with pytest.raises(InvalidInput):
            CURSORS.open(scope, given_back)
    with pytest.raises(InvalidInput):
        Cursors(b"t" * 32).open("leads", cursor)
