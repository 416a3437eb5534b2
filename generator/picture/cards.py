"""Cards and groups: boxes whose height follows from their content. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator.picture.drawing import (
    BOLD,
    LINE,
    SIZES,
    Box,
    BoxStyle,
    Chip,
    Label,
    Rect,
    TextStyle,
    chip_text,
)
from generator.picture.landscape import Thing
from generator.picture.lettering import fitted, width, wrapped
from generator.traffic import Group

PAD = 9
"""Between a box's edge and its text."""
CHIP_HEIGHT = 16
TAB = CHIP_HEIGHT / 2
"""How far a chip on a box's upper edge protrudes."""
GROUP_HEAD = 31
BETWEEN_CARDS = 16


@dataclass(frozen=True)
class Card:
    """A box without a position yet."""

    key: str
    style: BoxStyle
    lines: tuple[tuple[TextStyle, str], ...]
    told: str
    stack: str = ""
    """Empty: it belongs to no stack."""

    def height(self, room: float) -> float:
        """Return its height at the width *room*."""
        return sum(LINE[style] for style, _ in self._wrapped(room)) + 2 * PAD - 3

    def at(self, x: float, y: float, room: float, height: float = 0) -> Box:
        """Return it at its position, *room* wide and at least *height* high."""
        place = Rect(x, y, room, max(height, self.height(room)))
        labels = tuple(stacked(self._wrapped(room), x + PAD, y + PAD - 1))
        chips = (tab(self.stack, place),) if self.stack else ()
        return Box(self.key, self.style, place, self.told, labels, chips)

    def _wrapped(self, room: float) -> tuple[tuple[TextStyle, str], ...]:
        return tuple(
            (style, part)
            for style, text in self.lines
            for part in wrapped(text, room - 2 * PAD, SIZES[style], bold=style in BOLD)
        )


def stacked(lines: Iterable[tuple[TextStyle, str]], x: float, y: float) -> Iterator[Label]:
    """Yield lines of text one below the other, from *y* downwards."""
    for style, text in lines:
        y += LINE[style]
        yield Label(x, y - round(LINE[style] * 0.24), text, style)


def chip_width(text: str) -> float:
    """Return the width of a chip with *text*."""
    return round(width(text, SIZES["chip"], bold=True) + 12)


def chip(stack: str, right: float, y: float, patches: tuple[str, ...] = ()) -> Chip:
    """Return a chip that ends at *right*, its upper edge at *y*."""
    wide = chip_width(chip_text(stack, patches))
    return Chip(stack, Rect(right - wide, y, wide, CHIP_HEIGHT), patches)


def tab(stack: str, place: Rect) -> Chip:
    """Return a chip on the upper edge of *place*, near its right corner."""
    return chip(stack, place.right - 8, place.y - TAB)


def card_of(thing: Thing) -> Card:
    """Return the content of the card of *thing*."""
    lines: list[tuple[TextStyle, str]] = [("name", thing.title)]
    lines += [("detail", detail) for detail in thing.details]
    told = f"{thing.title}: {', '.join(thing.details)}. {thing.kind}, {thing.key}"
    return Card(thing.key, "card", tuple(lines), told, thing.stack)


@dataclass(frozen=True)
class Wardrobe:
    """A security group with the cards of its members; it has no position yet."""

    group: Group
    cards: tuple[Card, ...]
    listed: tuple[tuple[TextStyle, str], ...]
    """Lines instead of cards, and the rules that are not arrows."""

    @property
    def key(self) -> str:
        """Of the group: ``network/AlbSecurityGroup``."""
        return self.group.key

    def height(self, room: float) -> float:
        """Return its height at the width *room*."""
        inside = room - 2 * PAD
        cards = sum(card.height(inside) + BETWEEN_CARDS for card in self.cards)
        return (
            GROUP_HEAD
            + cards
            + sum(LINE[style] for style, _ in self._lines(inside))
            + (PAD if self.listed else 0)
        )

    def at(self, x: float, y: float, room: float, height: float) -> list[Box]:
        """Return it and its cards at their positions, *room* wide and at least *height* high."""
        place = Rect(x, y, room, max(height, self.height(room)))
        name = fitted(self.group.logical_id, room - 2 * PAD, SIZES["group"], bold=True)
        labels = [Label(x + PAD, y + 22, name, "group")]
        cards, top = [], y + GROUP_HEAD + TAB - 2
        for card in self.cards:
            cards.append(card.at(x + PAD, top, room - 2 * PAD))
            top += card.height(room - 2 * PAD) + BETWEEN_CARDS
        top -= TAB - 2
        labels += stacked(self._lines(room - 2 * PAD), x + PAD, top - (BETWEEN_CARDS - 12 if cards else 0))
        told = f"Security group {self.key}: {self.group.description}"
        return [Box(self.key, "group", place, told, tuple(labels), (tab(self.group.stack, place),)), *cards]

    def _lines(self, room: float) -> Sequence[tuple[TextStyle, str]]:
        return [
            (style, part)
            for style, text in self.listed
            for part in wrapped(text, room, SIZES[style], bold=style in BOLD)
        ]
