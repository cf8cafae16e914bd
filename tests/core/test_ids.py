import time

from notion_backend.core.ids import new_reference, new_row_id


def test_row_ids_are_version_7_in_order_and_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [new_row_id() for _ in range(10_000)]
    after = time.time_ns() // 1_000_000
    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}
    # Ids made faster than the clock ticks borrow from the next moments, a few at most.
    assert before <= made[0].int >> 80 <= made[-1].int >> 80 <= after + 3


def test_references_are_26_letters_and_digits_without_pattern() -> None:
    made = {new_reference() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(len(one) == 26 and one.isalnum() and one.isascii() for one in made)
    assert not any(set(one) & set("ILOU") for one in made)
