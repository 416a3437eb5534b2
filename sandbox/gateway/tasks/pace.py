"""
Combines the sandbox's fast clock with processes, which run in real time.

A pause between two polls is as short as the sandbox's clock makes it. The time for a process to start or to
stop is never less than it would have on AWS or `PATIENCE`, whichever is shorter: a start that takes twenty
seconds here is not twenty minutes late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PATIENCE = 90.0
"""Real seconds."""
_SHORTEST = 0.25
"""Real seconds between two checks of a process."""


@dataclass(frozen=True)
class Pace:
    """Real seconds for those of the sandbox's clock."""

    speed: Callable[[], float]
    """Sandbox seconds in a real one."""

    def pause(self, seconds: float) -> float:
        """Return the real pause for a pause of *seconds* on AWS."""
        return max(seconds / self.speed(), min(seconds, _SHORTEST))

    def patience(self, seconds: float) -> float:
        """Return the real time limit of a process that has *seconds* on AWS."""
        return max(seconds / self.speed(), min(seconds, PATIENCE))
