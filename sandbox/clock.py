"""Virtual time: clocks, and the agenda of scheduled events. No thread waits; requests run what is due."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

Action = Callable[[], None]
SPEED = 60.0
"""Virtual seconds in a real one, by default: a minute of AWS takes a second."""


class Clock(Protocol):
    """Tells virtual seconds since the epoch."""

    def now(self) -> float:
        """Return virtual seconds since the epoch."""

    def advance(self, seconds: float) -> None:
        """Jump *seconds* ahead."""


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the virtual time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Jump *seconds* ahead."""
        self._now += seconds


class RealClock:
    """Runs *speed* times as fast as the wall."""

    def __init__(self, speed: float = SPEED, *, wall: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._speed = speed
        self._origin = time.time()
        self._since = wall()

    @property
    def speed(self) -> float:
        """Virtual seconds in one real second."""
        return self._speed

    def now(self) -> float:
        """Return the virtual time."""
        return self._origin + (self._wall() - self._since) * self._speed

    def advance(self, seconds: float) -> None:
        """Jump *seconds* ahead."""
        self._origin += seconds

    def run_at(self, speed: float) -> None:
        """Continue from now at *speed*."""
        self._origin, self._since, self._speed = self.now(), self._wall(), speed


class Agenda:
    """Scheduled actions, in order of time; a cancelled one does nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Action]] = []
        self._ticket = itertools.count()
        self._current: float | None = None

    def now(self) -> float:
        """Return the time of the transition in progress, or the clock's outside of one."""
        return self._clock.now() if self._current is None else self._current

    def after(self, seconds: float, action: Action) -> None:
        """Schedule *action* *seconds* after `now`."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._ticket), action))

    def settle(self) -> None:
        """Run everything that is due, each at its own time."""
        until = self._clock.now()
        try:
            while self._due and self._due[0][0] <= until:
                self._current, _, action = heapq.heappop(self._due)
                action()
        finally:
            self._current = None

    def next_due(self) -> float | None:
        """Return the time of the next transition, or None if there is none."""
        return self._due[0][0] if self._due else None

    def clear(self) -> None:
        """Cancel everything scheduled."""
        self._due.clear()
