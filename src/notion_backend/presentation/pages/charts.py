"""From figures to the geometry of pictures, which templates draw as SVG.

Lengths are units of the picture's view box. Nothing here says a colour: the style sheet does, for
light and dark.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise

from notion_backend.application.statistics import ContactCount, DayCount
from notion_backend.core.sentences import Sentence, say

WIDTH = 720.0
HEIGHT = 240.0
_LEFT, _TOP, _BOTTOM = 44.0, 12.0, 28.0
"""Room for the counts on the left and the dates below."""
_LABEL, _ROW = 150.0, 26.0
"""Of bars that lie: room for their names, and their distance."""
_GAP = 0.25
"""Of the width of a day, between two bars."""
_DAYS_BETWEEN_DATES = 7
_LEAST_TOP = 4
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: its rectangle, and a date below where there is room."""

    day: date
    count: int
    x: float
    y: float
    width: float
    height: float
    has_date: bool

    @property
    def middle(self) -> float:
        """Where its date stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars above a line, and the counts that lines across stand for."""

    bars: Sequence[Bar]
    lines: Sequence[tuple[int, float]]
    """Count and height, from the bottom line upwards."""
    left: float = _LEFT
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True, slots=True)
class Row:
    """One bar that lies, with its name on the left and its count behind."""

    label: Sentence
    count: int
    y: float
    width: float
    left: float = _LABEL
    height: float = _ROW


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole: where it begins and how wide it is."""

    name: str
    count: int
    x: float
    width: float


def draw_days(days: Sequence[DayCount]) -> BarChart:
    """Draw one bar a day, the first day on the left."""
    top = _rounded_up(max((day.count for day in days), default=0))
    bottom = HEIGHT - _BOTTOM
    step = (WIDTH - _LEFT) / max(1, len(days))

    def height(count: int) -> float:
        return round((bottom - _TOP) * count / top, 1)

    bars = [
        Bar(
            day=each.day,
            count=each.count,
            x=round(_LEFT + number * step + step * _GAP / 2, 1),
            y=round(bottom - height(each.count), 1),
            width=round(step * (1 - _GAP), 1),
            height=height(each.count),
            # Counted from today, which always has its date.
            has_date=(len(days) - 1 - number) % _DAYS_BETWEEN_DATES == 0,
        )
        for number, each in enumerate(days)
    ]
    lines = [(count, round(bottom - height(count), 1)) for count in (0, top // 2, top)]
    return BarChart(bars, lines)


def draw_contacts(contacts: Sequence[ContactCount]) -> Sequence[Row]:
    """Draw one bar from the left for each span of time, the most frequent as wide as there is."""
    most = max((each.count for each in contacts), default=0)
    return [
        Row(
            label=_span(each.within_seconds),
            count=each.count,
            y=number * _ROW,
            width=round((WIDTH - _LABEL - _LEFT) * each.count / most, 1) if most else 0.0,
        )
        for number, each in enumerate(contacts)
    ]


def draw_parts(counts: Collection[tuple[str, int]], width: float = WIDTH) -> Sequence[Part]:
    """Draw parts side by side, together as wide as the picture; none where all are zero."""
    total = sum(count for _, count in counts)
    if not total:
        return []
    ends = accumulate((count for _, count in counts), initial=0)
    edges = [round(width * end / total, 1) for end in ends]
    return [
        Part(name, count, x, round(end - x, 1))
        for (name, count), (x, end) in zip(counts, pairwise(edges), strict=True)
    ]


def spell_duration(seconds: float) -> Sentence:
    """Say how long something took in its two largest units."""
    whole = round(seconds)
    if whole < _MINUTE:
        return say("{seconds} s", seconds=whole)
    if whole < _HOUR:
        return say("{minutes} min", minutes=whole // _MINUTE)
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        return say("{hours} h {minutes} min", hours=whole // _HOUR, minutes=minutes)
    hours = whole % _DAY // _HOUR
    return say("{days} d {hours} h", days=whole // _DAY, hours=hours)


def _span(within_seconds: int | None) -> Sentence:
    match within_seconds:
        case None:
            return say("longer")
        case seconds if seconds < _DAY:
            return say("within {hours} h", hours=seconds // _HOUR)
        case seconds:
            return say("within {days} d", days=seconds // _DAY)


def _rounded_up(count: int) -> int:
    """Return the next number that is easy to read: 4, 10, 20, 50, 100, 200 and so on."""
    top, scale = _LEAST_TOP, 10
    while top < count:
        top = next((scale * step for step in (1, 2, 5) if scale * step >= count), scale * 10)
        scale *= 10
    return top
