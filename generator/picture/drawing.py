"""The elements of a diagram as data: boxes, labels, chips and arrows with positions. Independent of SVG."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

BoxStyle = Literal["vpc", "subnet", "public", "group", "card", "gateway", "outside", "section", "row"]
TextStyle = Literal["heading", "title", "name", "detail", "quiet", "group", "flow", "chip"]
ArrowStyle = Literal["rule", "route"]

SIZES: dict[TextStyle, float] = {
    "heading": 22,
    "title": 13.5,
    "name": 12.5,
    "detail": 11.5,
    "quiet": 11.5,
    "group": 11.5,
    "flow": 11.5,
    "chip": 10.5,
}
"""Font sizes, in the picture's units: pixels where it is shown as wide as it is."""
BOLD: frozenset[TextStyle] = frozenset({"heading", "title", "name", "group", "flow", "chip"})


@dataclass(frozen=True)
class Rect:
    """A place on the page; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2

    def meets(self, other: Rect) -> bool:
        """Tell whether the two overlap."""
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: Rect) -> bool:
        """Tell whether *other* is inside, edges included."""
        across = self.x <= other.x and other.right <= self.right
        return across and self.y <= other.y and other.bottom <= self.bottom


@dataclass(frozen=True)
class Label:
    """A line of text; *y* is its baseline."""

    x: float
    y: float
    text: str
    style: TextStyle
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True)
class Chip:
    """The name of the stack that something belongs to."""

    stack: str
    place: Rect
    patches: tuple[str, ...] = ()
    """What is patched in it, with where and why, for the one chip that shows it."""

    @property
    def text(self) -> str:
        """The text on it."""
        return chip_text(self.stack, self.patches)


def chip_text(stack: str, patches: tuple[str, ...]) -> str:
    """Return the text on the chip of *stack*."""
    return f"{stack} (patched)" if patches else stack


@dataclass(frozen=True)
class Box:
    """A rectangle with its content."""

    key: str
    """Its name in the environment: ``network/Vpc``; for what is no resource, a word."""
    style: BoxStyle
    place: Rect
    told: str
    """The text for a pointer on it, or for a screen reader."""
    labels: tuple[Label, ...] = ()
    chips: tuple[Chip, ...] = ()


@dataclass(frozen=True)
class Arrow:
    """A line of horizontal and vertical pieces, with a head at its end."""

    style: ArrowStyle
    points: tuple[tuple[float, float], ...]
    told: str
    labels: tuple[Label, ...] = ()
    head: bool = True

    @property
    def pieces(self) -> tuple[Rect, ...]:
        """The area of each piece, its width included."""
        pairs = pairwise(self.points)
        return tuple(
            Rect(min(x, to_x) - 1, min(y, to_y) - 1, abs(to_x - x) + 2, abs(to_y - y) + 2)
            for (x, y), (to_x, to_y) in pairs
        )


@dataclass(frozen=True)
class Drawing:
    """A whole picture."""

    width: float
    height: float
    title: str
    description: str
    boxes: tuple[Box, ...]
    """In drawing order: containers before their content."""
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...] = ()
    chips: tuple[Chip, ...] = ()


LINE: dict[TextStyle, float] = {style: round(size * 1.36) for style, size in SIZES.items()}
"""From one baseline to the next."""
