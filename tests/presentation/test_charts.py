"""The geometry of pictures."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.statistics import ContactCount, DayCount
from notion_backend.presentation.pages.charts import (
    HEIGHT,
    WIDTH,
    draw_contacts,
    draw_days,
    draw_parts,
    spell_duration,
)

counts = st.lists(st.integers(0, 1_000_000), min_size=30, max_size=30)


def days(*numbers: int) -> list[DayCount]:
    return [DayCount(date(2026, 1, 1) + timedelta(n), count) for n, count in enumerate(numbers)]


@given(counts)
def test_bars_are_as_high_as_their_counts_and_stay_in_the_picture(numbers: list[int]) -> None:
    chart = draw_days(days(*numbers))
    top_count, top_y = chart.lines[-1]
    _, bottom_y = chart.lines[0]
    assert top_count >= max(numbers)
    for bar, count in zip(chart.bars, numbers, strict=True):
        assert bar.height == pytest.approx((bottom_y - top_y) * count / top_count, abs=0.06)
        assert bar.y + bar.height == pytest.approx(bottom_y, abs=0.11)
        assert 0 <= bar.x < bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    assert all(one.x + one.width <= next_.x for one, next_ in pairwise(chart.bars))


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        (0, [0, 2, 4]),
        (1, [0, 2, 4]),
        (5, [0, 5, 10]),
        (21, [0, 25, 50]),
        (60, [0, 50, 100]),
        (101, [0, 100, 200]),
        (10_000, [0, 5000, 10000]),
    ],
)
def test_the_lines_stand_for_round_numbers(most: int, lines: list[int]) -> None:
    assert [count for count, _ in draw_days(days(0, most)).lines] == lines


def test_today_has_its_date_and_so_has_every_seventh_day_before() -> None:
    chart = draw_days(days(*[1] * 30))
    assert [bar.day.day for bar in chart.bars if bar.has_date] == [2, 9, 16, 23, 30]


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_parts_fill_the_whole_width(one: int, other: int) -> None:
    parts = draw_parts([("A", one), ("B", other)])
    if one + other == 0:
        assert parts == []
        return
    assert parts[0].x == 0
    assert parts[0].width == parts[1].x == pytest.approx(WIDTH * one / (one + other), abs=0.06)
    assert parts[1].x + parts[1].width == pytest.approx(WIDTH)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (5400, "1 h 30 min"),
        (86400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert spell_duration(seconds) == said


def test_spans_of_time_are_as_wide_as_their_counts() -> None:
    rows = draw_contacts([ContactCount(3600, 2), ContactCount(3 * 86400, 4), ContactCount(None, 0)])
    assert [row.label for row in rows] == ["within 1 h", "within 3 d", "longer"]
    assert rows[1].width == 2 * rows[0].width > rows[2].width == 0
    assert all(row.left + row.width < WIDTH for row in rows)
    assert [row.width for row in draw_contacts([ContactCount(None, 0)])] == [0]
