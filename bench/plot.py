"""Small line charts as SVG: a panel for each figure, the size on a logarithmic axis."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _GAP = 300, 170, 60
_COLUMNS = 2
_LINE, _GRID, _TEXT = "#1f6f8b", "#c8ccd0", "#3b4147"
_STEPS = 4


def draw(sizes: Sequence[int], figures: Mapping[str, Sequence[float]]) -> str:
    """Return an SVG picture with a panel for each of `figures`, each with a value for each size."""
    rows = math.ceil(len(figures) / _COLUMNS)
    width = _COLUMNS * (_WIDTH + _GAP) + _GAP
    height = rows * (_HEIGHT + _GAP) + _GAP
    panels = "".join(
        f'<g transform="translate({_GAP + number % _COLUMNS * (_WIDTH + _GAP)} '
        f'{_GAP + number // _COLUMNS * (_HEIGHT + _GAP)})">{_panel(sizes, title, values)}</g>'
        for number, (title, values) in enumerate(figures.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" fill="{_TEXT}">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{panels}</svg>\n'
    )


def _panel(sizes: Sequence[int], title: str, values: Sequence[float]) -> str:
    top = _round_up(max(values))
    grid = "".join(
        f'<line x1="0" x2="{_WIDTH}" y1="{_y(top * step / _STEPS, top):.1f}" '
        f'y2="{_y(top * step / _STEPS, top):.1f}" stroke="{_GRID}"/>'
        f'<text x="-6" y="{_y(top * step / _STEPS, top) + 4:.1f}" text-anchor="end">'
        f"{top * step / _STEPS:g}</text>"
        for step in range(_STEPS + 1)
    )
    places = [(_x(size, sizes), _y(value, top)) for size, value in zip(sizes, values, strict=True)]
    labels = "".join(
        f'<text x="{x:.1f}" y="{_HEIGHT + 16}" text-anchor="middle">{size:,}</text>'
        for size, (x, _) in zip(sizes, places, strict=True)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_LINE}"/>' for x, y in places)
    return (
        f'<text x="0" y="-10" font-size="13" font-weight="bold">{escape(title)}</text>'
        f"{grid}{labels}"
        f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="2"/>{dots}'
    )


def _x(size: int, sizes: Sequence[int]) -> float:
    first, last = math.log10(min(sizes)), math.log10(max(sizes))
    return (math.log10(size) - first) / (last - first or 1.0) * _WIDTH


def _y(value: float, top: float) -> float:
    return _HEIGHT * (1 - value / top)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 6, 8 and 10 times a power of ten; the axis begins at zero."""
    power = float(10 ** math.floor(math.log10(value)))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
