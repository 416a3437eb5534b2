"""The rows of the table, and the table as text. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line: what was measured, and its comparison."""

    what: str
    ours: str = ""
    beside: str = ""
    """The other side, with its figure."""
    ratio: str = ""
    target: str = ""
    met: bool | None = None
    """None: there is no target."""


HEAD = ("what", "gatestack", "beside", "ratio", "target", "")


def within(what: str, ours: str, beside: str, ratio: float, limit: float) -> Row:
    """Return the row of a ratio that must not be larger than *limit*."""
    return Row(what, ours, beside, times(ratio), f"at most {limit:g} x", ratio <= limit)


def compared(what: str, ours: str, beside: str, ratio: float) -> Row:
    """Return the row of a ratio without a target."""
    return Row(what, ours, beside, times(ratio))


def counted(what: str, count: int, limit: int, beside: str = "") -> Row:
    """Return the row of a count that must not be larger than *limit*."""
    return Row(what, str(count), beside, "", f"at most {limit}", count <= limit)


def missing(what: str, why: object) -> Row:
    """Return the row of a measurement that failed."""
    return Row(what, f"not measured: {why}")


def times(ratio: float) -> str:
    """Return *ratio* with its significant digits."""
    return f"{ratio:.2f} x" if ratio < 10 else f"{ratio:.0f} x"


def seconds(value: float) -> str:
    """Return a time with its significant digits."""
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def table(rows: Iterable[Row]) -> str:
    """Return *rows* as a table in text, which is one in Markdown as well."""
    lines = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEAD))]
    found = [_line(line, widths) for line in lines]
    return "\n".join([found[0], _line(["-" * width for width in widths], widths), *found[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[row.met]
    return (row.what, row.ours, row.beside, row.ratio, row.target, verdict)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
