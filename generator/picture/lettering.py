"""
The width of text, and how it is shortened to fit. Pure.

The reader's fonts are unknown when a diagram is drawn, so the widths are those of a wide font, DejaVu Sans
(its own metrics, in thousandths of the size, rounded up by classes). What fits in it fits in the others that
the style sheet names: Segoe UI, Roboto, Helvetica and Arial are narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_CLASSES: Mapping[str, int] = {
    "ijlI'": 300,
    ".,:;/\\|!()[]-f tr": 412,
    '"*_`?cszJ': 550,
    "kvxyL{}$": 636,
    "abdeghnopqu0123456789FPTYE": 640,
    "ABCKRSVXZ": 700,
    "DGHNOQUw&": 820,
    "M#%+<=>~^m@W": 1000,
}
_WIDTHS = {letter: width for letters, width in _CLASSES.items() for letter in letters}
_BOLD = 1.12
"""How much wider its bold letters are."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of *text* at *size*, in the picture's units; more rather than less."""
    return sum(_WIDTHS.get(letter, 1000) for letter in text) * size / 1000 * (_BOLD if bold else 1)


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return *text*, or its beginning and its end around an ellipsis where it is wider than *room*."""
    if width(text, size, bold=bold) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        first = (kept + 1) // 2
        shorter = f"{text[:first]}…{text[len(text) - kept + first :]}"
        if width(shorter, size, bold=bold) <= room:
            return shorter
    return "…"


def wrapped(text: str, room: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Return *text* in lines no wider than *room*, broken at spaces."""
    return tuple(fitted(line, room, size, bold=bold) for line in _lines(text, room, size, bold=bold))


def _lines(text: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and width(longer, size, bold=bold) > room:
            yield line
            longer = word
        line = longer
    if line:
        yield line
