"""The types of a drift report. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["in sync", "drifted", "not there", "busy", "failed"]


@dataclass(frozen=True)
class Detection:
    """The status of a drift detection."""

    running: bool
    failed: bool = False
    reason: str = ""


@dataclass(frozen=True)
class PropertyDrift:
    """One property that is not as it was deployed; no secret is in it."""

    path: str
    """``/SecurityGroupIngress/0/CidrIp``"""
    expected: str
    """As text; ``null`` where the template gives nothing."""
    actual: str
    kind: str
    """``ADD``, ``REMOVE`` or ``NOT_EQUAL``."""


@dataclass(frozen=True)
class ResourceDrift:
    """One resource that is not as it was deployed."""

    logical_id: str
    type: str
    physical_id: str
    status: str
    """``MODIFIED``, ``DELETED``, ``UNKNOWN``; ``IN_SYNC`` where it alone was checked."""
    properties: tuple[PropertyDrift, ...] = ()
    reason: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """The whole numbers among its properties as they were deployed: ``{"MaxAllocatedStorage": 100}``."""
    patched: str = ""
    """Where and why the environment's file patches it."""


@dataclass(frozen=True)
class StackDrift:
    """The drift of one stack."""

    name: str
    stack_name: str
    verdict: Verdict
    resources: tuple[ResourceDrift, ...] = ()
    reason: str = ""
    """Why it was not checked, or not to its end."""


@dataclass(frozen=True)
class Drift:
    """The drift of an environment's stacks."""

    environment: str
    stacks: tuple[StackDrift, ...]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 interrupted, 1 where a stack could not be checked, 3 drifted, 0 in sync."""
        verdicts = {stack.verdict for stack in self.stacks}
        if self.interrupted:
            return 130
        return 1 if verdicts & {"failed", "busy"} else 3 if "drifted" in verdicts else 0
