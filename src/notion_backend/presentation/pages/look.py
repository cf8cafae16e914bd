"""The firm's colour as a style sheet that can be read, whatever colour it is.

Contrast is that of WCAG 2.2 (1.4.3, relative luminance); the names are those of Pico's variables.
"""

from dataclasses import dataclass
from typing import Self

TEXT_CONTRAST = 4.5
"""What text needs against what is behind it (WCAG 2.2, 1.4.3 AA)."""
FRAME_CONTRAST = 3.0
"""What the frame of a button needs (1.4.11)."""

_STEPS = 64
_HOVER = 0.15


@dataclass(frozen=True, slots=True)
class Color:
    """A colour of the screen (sRGB), 0 to 255 each."""

    red: int
    green: int
    blue: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `#rrggbb`."""
        return cls(*bytes.fromhex(text.removeprefix("#")))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 for black to 1 for white."""
        red, green, blue = (_linear(part / 255) for part in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Color") -> float:
        """Return the contrast ratio, 1 to 21."""
        dark, light = sorted((self.luminance, other.luminance))
        return (light + 0.05) / (dark + 0.05)

    def towards(self, other: "Color", share: float) -> "Color":
        """Mix: 0 is this colour, 1 the other."""
        pairs = zip(
            (self.red, self.green, self.blue), (other.red, other.green, other.blue), strict=True
        )
        return Color(*(round(one + (two - one) * share) for one, two in pairs))


BLACK = Color(0, 0, 0)
WHITE = Color(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Paper:
    """A page that colours stand on: what is behind them, and where to go for more contrast."""

    backgrounds: tuple[Color, ...]
    ink: Color


LIGHT = Paper((WHITE, Color.read("#eef1f5")), BLACK)
DARK = Paper((Color.read("#13171f"), Color.read("#1c212c")), WHITE)
"""The lightest and the darkest of the backgrounds that site.css, form.css and Pico give a page."""


@dataclass(frozen=True, slots=True)
class Shades:
    """What becomes of a colour on one kind of paper."""

    link: Color
    link_hover: Color
    button: Color
    button_hover: Color
    button_text: Color
    frame: Color


def shades_of(color: Color, paper: Paper) -> Shades:
    """Derive the colours of links, focus and buttons.

    One of black and white has a contrast of 4.58 at least on any colour, so a button keeps the
    colour as it is; a link goes as far towards the ink of the paper as it must.
    """
    link = _readable(color, paper)
    text = max(BLACK, WHITE, key=color.contrast)
    away = BLACK if text == WHITE else WHITE
    stands_out = all(color.contrast(back) >= FRAME_CONTRAST for back in paper.backgrounds)
    return Shades(
        link=link,
        link_hover=link.towards(paper.ink, _HOVER),
        button=color,
        button_hover=color.towards(away, _HOVER),
        button_text=text,
        frame=color if stands_out else link,
    )


def style_sheet(color: str) -> str:
    """Return the style sheet that gives Pico this colour (`#rrggbb`), for light and dark."""
    base = Color.read(color)
    light, dark = (_variables(shades_of(base, paper)) for paper in (LIGHT, DARK))
    # The selectors are Pico's own: weaker ones would not count.
    return (
        f":root:not([data-theme=dark]) {{\n{light}}}\n\n"
        "@media only screen and (prefers-color-scheme: dark) {\n"
        f":root:not([data-theme]) {{\n{dark}}}\n}}\n"
    )


def _readable(color: Color, paper: Paper) -> Color:
    for step in range(_STEPS):
        shade = color.towards(paper.ink, step / _STEPS)
        if all(shade.contrast(back) >= TEXT_CONTRAST for back in paper.backgrounds):
            return shade
    return paper.ink


def _variables(shades: Shades) -> str:
    values = {
        "primary": shades.link,
        "primary-underline": f"{shades.link}80",
        "primary-hover": shades.link_hover,
        "primary-focus": shades.link,
        "primary-background": shades.button,
        "primary-border": shades.frame,
        "primary-inverse": shades.button_text,
        "primary-hover-background": shades.button_hover,
        "primary-hover-border": shades.frame,
    }
    return "".join(f"  --pico-{name}: {value};\n" for name, value in values.items())


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
