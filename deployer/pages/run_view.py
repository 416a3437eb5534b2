"""The model of the run page that the template renders: texts and percentages. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STATES: Mapping[str, str] = {
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "stopped": "no end recorded",
    "going": "in progress",
    "rolled back": "rolled back",
}
"""What a state is called on the page."""


@dataclass(frozen=True)
class BarView:
    """One bar in a row."""

    left: float
    """Percent of the axis."""
    width: float
    state: str
    phase: str
    text: str
    """What it stands for, in words."""


@dataclass(frozen=True)
class Line:
    """One event in the details of a row."""

    at: str
    status: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One resource, or one stack, in the chart."""

    name: str
    type: str
    bars: tuple[BarView, ...]
    start: str
    """On the run's stop-watch."""
    took: str
    did: str
    """``creation``, ``update, then deletion in the rollback``."""
    state: str
    """One of `STATES`."""
    on_path: bool
    physical_id: str
    lines: tuple[Line, ...]

    @property
    def ended(self) -> str:
        """How it ended, in words."""
        return STATES[self.state]

    @property
    def has_reasons(self) -> bool:
        """Whether CloudFormation gave a reason for any of its events."""
        return any(line.reason for line in self.lines)

    @property
    def reason(self) -> str:
        """Why it failed; empty where it did not."""
        failed = (line.reason for line in self.lines if line.status.endswith("_FAILED"))
        return next((reason for reason in failed if reason), "")


@dataclass(frozen=True)
class StackRows:
    """One operation on one stack: its own row, and those of its resources by the time they began."""

    own: Row
    resources: tuple[Row, ...]

    @property
    def open(self) -> bool:
        """Whether its resources are shown at first: where it failed, and on the longest path."""
        return self.own.on_path or self.own.state in {"failed", "rolled back"}


@dataclass(frozen=True)
class Step:
    """One stack on the longest path."""

    stack: str
    took: str
    resources: tuple[tuple[str, str], ...]
    """The path inside it: logical ids, and how long each took; the slowest only."""
    inside: str
    """How long the path inside it took."""


@dataclass(frozen=True)
class CauseView:
    """The first cause of a failure."""

    stack: str
    logical_id: str
    type: str
    status: str
    at: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Tick:
    """One tick of the axis."""

    left: float
    text: str


@dataclass(frozen=True)
class RunPage:
    """Everything that the page says."""

    environment: str
    verdict: str
    state: str
    facts: tuple[tuple[str, str], ...]
    cause: CauseView | None = None
    stacks: tuple[StackRows, ...] = ()
    path: tuple[Step, ...] = ()
    path_words: str = ""
    ticks: tuple[Tick, ...] = ()
    step: float = 100.0
    """Percent of the axis between two ticks."""
    notes: tuple[str, ...] = ()
