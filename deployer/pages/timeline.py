"""
The calculations for the chart of a run: bars, the longest path, ticks, durations as text. Pure.

Times are seconds since the start of the run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

TICKS = 9
"""How many ticks an axis has at the most."""
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between two ticks: what people count in."""


@dataclass(frozen=True)
class Bar:
    """When something began and when it ended."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True)
class Path:
    """Bars of which each began only once the one before had come far enough."""

    names: tuple[str, ...] = ()
    seconds: float = 0.0
    """The time under the path: where two of its bars overlap it counts once."""


@dataclass(frozen=True)
class Axis:
    """The scale of a chart from 0."""

    end: float
    step: int

    @property
    def ticks(self) -> tuple[int, ...]:
        """Seconds at which there is a tick."""
        return tuple(range(0, int(self.end) + 1, self.step))

    def percent(self, seconds: float) -> float:
        """Return how far along the axis a moment is, within 0 and 100."""
        return 0.0 if self.end <= 0 else min(100.0, max(0.0, 100.0 * seconds / self.end))


def longest_path(bars: Mapping[str, Bar], needs: Mapping[str, Collection[str]]) -> Path:
    """
    Return the path through *bars* that took the longest, along *needs* (name -> what it waits for).

    A need counts only if what was waited for began before. Whatever the needs are, a path is at least as long
    as the longest bar and no longer than from the first beginning to the last end.
    """
    order = sorted(bars, key=lambda name: (bars[name].start, bars[name].end, name))
    best: dict[str, tuple[float, str | None]] = {}
    for name in order:
        here = bars[name]
        ways = [
            (best[one][0] - max(0.0, bars[one].end - here.start), one)
            for one in sorted(set(needs.get(name, ())) & best.keys())
        ]
        before, through = max(ways, key=lambda way: way[0], default=(0.0, None))
        best[name] = (here.seconds + before, through)
    if not best:
        return Path()
    last = max(order, key=lambda name: best[name][0])
    return Path(_back(last, best), best[last][0])


def _back(last: str, best: Mapping[str, tuple[float, str | None]]) -> tuple[str, ...]:
    names: list[str] = []
    name: str | None = last
    while name is not None:
        names.append(name)
        name = best[name][1]
    return tuple(reversed(names))


def axis(seconds: float) -> Axis:
    """Return the scale of a chart over *seconds*: it ends where they do, and has few, round ticks."""
    step = next((step for step in STEPS if seconds / step < TICKS), STEPS[-1])
    while seconds / step >= TICKS:
        step *= 2
    return Axis(max(seconds, 1.0), step)


def words(seconds: float) -> str:
    """Return a duration for people, to the second: ``12 min 30 s``; below ten seconds to the tenth."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    parts += [f"{rest} s"] * (rest > 0 and not hours)
    return " ".join(parts)


def clock(seconds: float) -> str:
    """Return a moment of a run, as a stop-watch shows it: ``2:05``, ``1:02:05``."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
