"""
A value before and after, formatted: short ones in one line, others as a diff by lines. Pure.

JSON is first formatted over several lines with keys in their order; nothing is cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from deployer.states import UNKNOWN, structure

NOT_KNOWN = "(not known yet)"
"""Text for an unknown part of a value."""
SHORT = 72
"""Characters that a value may have to stand in a line with another one."""
CONTEXT = 2
"""Lines that are shown around a difference; the others can be opened."""
WORDS = 4_000
"""Words of two lines up to which they are compared word by word: the time grows with the square."""

LINES = 2_000
"""Lines of two values up to which frequent ones (``},``) are matched."""

Kind = Literal["same", "gone", "new"]


@dataclass(frozen=True)
class Part:
    """A piece of a line."""

    text: str
    marked: bool = False
    """Whether it is what differs."""


@dataclass(frozen=True)
class TextLine:
    """One line of a diff."""

    kind: Kind
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Block:
    """Lines of a diff; *folded*: none of them differs, and none is near one that does."""

    lines: tuple[TextLine, ...]
    folded: bool = False


@dataclass(frozen=True)
class Value:
    """One property before and after."""

    before: str | None
    """As short text; None: there is none, or it is in *blocks*."""
    after: str | None
    unknown_after: bool = False
    """Whether the value is known only once the change is done."""
    blocks: tuple[Block, ...] = ()

    @property
    def told(self) -> bool:
        """Whether CloudFormation told any value at all."""
        return bool(self.blocks) or self.unknown_after or self.before is not None or self.after is not None


def value(before: str | None, after: str | None) -> Value:
    """Return how a property's values *before* and *after* are shown."""
    unknown = after == UNKNOWN
    one, other = (_readable(text) for text in (before, None if unknown else after))
    if all("\n" not in text and len(text) <= SHORT for text in (one, other) if text is not None):
        return Value(one, other, unknown)
    lines = tuple(_diff(_lines(one), _lines(other)))
    return Value(None, None, unknown, tuple(_folded(lines)))


def _readable(text: str | None) -> str | None:
    return None if text is None else text.replace(UNKNOWN, NOT_KNOWN)


def _set_out(text: str) -> str:
    parsed = structure(text)
    return text if parsed is None else json.dumps(parsed, indent=2, ensure_ascii=False)


def _lines(text: str | None) -> list[str]:
    return [] if text is None else re.split(r"\r\n|\r|\n", _set_out(text))


def _diff(before: Sequence[str], after: Sequence[str]) -> Iterator[TextLine]:
    hurried = len(before) + len(after) > LINES
    for what, i, j, k, n in SequenceMatcher(None, before, after, autojunk=hurried).get_opcodes():
        if what == "equal":
            yield from (TextLine("same", (Part(line),)) for line in before[i:j])
        else:
            yield from _changed(before[i:j], after[k:n])


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[TextLine]:
    """Return lines that took each other's place, word by word where they are as many."""
    if len(before) != len(after):
        yield from (TextLine("gone", (Part(line),)) for line in before)
        yield from (TextLine("new", (Part(line),)) for line in after)
        return
    pairs = [_by_words(one, other) for one, other in zip(before, after, strict=True)]
    yield from (TextLine("gone", parts) for parts, _ in pairs)
    yield from (TextLine("new", parts) for _, parts in pairs)


def _by_words(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    one, other = (re.findall(r"\w+|\s+|[^\w\s]", line) for line in (before, after))
    if len(one) + len(other) > WORDS:
        return (Part(before, marked=True),), (Part(after, marked=True),)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < 0.3:  # two lines that have little but punctuation in common
        return (Part(before),), (Part(after),)
    codes = matcher.get_opcodes()
    left = [Part("".join(one[i:j]), what != "equal") for what, i, j, _, _ in codes if j > i]
    right = [Part("".join(other[k:n]), what != "equal") for what, _, _, k, n in codes if n > k]
    return tuple(left), tuple(right)


def _folded(lines: tuple[TextLine, ...]) -> Iterator[Block]:
    """Return *lines* in blocks: what is far from every difference is folded, where that saves lines."""
    differs = [index for index, line in enumerate(lines) if line.kind != "same"]
    near = {at for index in differs for at in range(index - CONTEXT, index + CONTEXT + 1)}
    begin = 0
    for index in range(1, len(lines) + 1):
        if index == len(lines) or (index in near) != (begin in near):
            folded = begin not in near and index - begin > 1 and bool(differs)
            yield Block(lines[begin:index], folded)
            begin = index
