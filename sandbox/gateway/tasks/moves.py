"""
The next step of ECS for a service during a rolling update. Pure.

Sources: Amazon ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" (minimumHealthyPercent
rounds up, maximumPercent down) and "How the Amazon ECS deployment circuit breaker detects failures" (half of
the tasks wanted, at least 3, at most 200). Amazon ECS API Reference, DeploymentConfiguration: an unhealthy
task is stopped once its replacement is healthy, or before where maximumPercent leaves no room for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

LEAST, MOST = 3, 200
Condition = Literal["healthy", "starting", "unhealthy"]


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
    """How many tasks to start, and which to stop: indices in the lists of the new and the old tasks."""

    start: int
    stop_new: Sequence[int] = ()
    stop_old: Sequence[int] = ()


def moves(bounds: Bounds, new: Sequence[Condition], old: Sequence[Condition]) -> Moves:
    """Return what to do, from the condition of each task."""
    fit = [number for number, condition in enumerate(new) if condition != "unhealthy"]
    ill = [number for number, condition in enumerate(new) if condition == "unhealthy"]
    missing = max(0, bounds.wanted - len(fit))
    start = max(0, min(missing, bounds.most - len(new) - len(old)))
    surplus = sorted(fit, key=lambda each: (new[each] == "healthy", -each))[
        : max(0, len(fit) - bounds.wanted)
    ]
    replaced = new.count("healthy") + len(ill) - bounds.wanted
    stop_ill = ill[: max(0, replaced, missing - start)]
    without_room = missing - start - len(stop_ill)
    stop_old = _surplus_of(old, new.count("healthy"), bounds.least, without_room)
    return Moves(start, (*surplus, *stop_ill), tuple(stop_old))


def _surplus_of(old: Sequence[Condition], new_healthy: int, least: int, without_room: int) -> list[int]:
    """Return the *old* tasks to stop: those that never were ready, the unhealthy ones, then the others."""
    healthy, found = new_healthy + old.count("healthy"), list[int]()
    order: list[Condition] = ["starting", "unhealthy", "healthy"]
    for number, condition in sorted(enumerate(old), key=lambda each: order.index(each[1])):
        if condition == "unhealthy" and healthy < least and without_room <= 0:
            continue
        if condition == "healthy" and healthy - 1 < least:
            continue
        found.append(number)
        without_room -= condition == "unhealthy"
        healthy -= condition == "healthy"
    return found


def breaks(failed: int, wanted: int) -> bool:
    """Whether this number of failed tasks opens the circuit breaker."""
    return failed >= min(MOST, max(LEAST, ceil(wanted / 2)))
