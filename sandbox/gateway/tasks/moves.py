"""
What ECS does next for a service whose tasks roll. Pure.

Sources: Amazon ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" (minimumHealthyPercent
rounds up, maximumPercent down) and "How the Amazon ECS deployment circuit breaker detects failures" (half of
the tasks wanted, at least 3, at most 200).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

LEAST, MOST = 3, 200


@dataclass(frozen=True)
class Bounds:
    """How many tasks a service wants, and may have at least and at most while they are replaced."""

    wanted: int
    least_percent: float = 100
    most_percent: float = 200

    @property
    def least(self) -> int:
        """Healthy tasks at any time."""
        return ceil(self.wanted * self.least_percent / 100)

    @property
    def most(self) -> int:
        """Tasks at any time."""
        return max(floor(self.wanted * self.most_percent / 100), 1)


@dataclass(frozen=True)
class Moves:
    """How many tasks to start, and which to stop: places in the lists of the new and of the old tasks."""

    start: int
    stop_new: Sequence[int] = ()
    stop_old: Sequence[int] = ()


def moves(bounds: Bounds, new: Sequence[bool], old: Sequence[bool]) -> Moves:
    """Return what to do with tasks, of each whether it is healthy."""
    surplus = max(0, len(new) - bounds.wanted)
    stop_new = sorted(range(len(new)), key=lambda each: (new[each], -each))[:surplus]
    start = max(0, min(bounds.wanted - len(new), bounds.most - len(new) - len(old)))
    healthy, stop_old = sum(new) + sum(old), list[int]()
    for number, is_healthy in sorted(enumerate(old), key=lambda each: each[1]):
        if not is_healthy or healthy - 1 >= bounds.least:
            stop_old.append(number)
            healthy -= is_healthy
    return Moves(start, tuple(stop_new), tuple(stop_old))


def breaks(failed: int, wanted: int) -> bool:
    """Whether so many failed tasks open the circuit breaker."""
    return failed >= min(MOST, max(LEAST, ceil(wanted / 2)))
