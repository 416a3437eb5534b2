"""Input and output of every scanner of templates, whoever wrote its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.policy.programs import ScanError

__all__ = ["ROOT", "Environment", "Finding", "Report", "ScanError", "Scanner"]

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Environment:
    """Whose templates were scanned."""

    name: str
    system: str
    tier: str
    resources: int = 0
    """How many there are in its templates."""


@dataclass(frozen=True, order=True)
class Finding:
    """A check that a resource fails."""

    check: str
    """The scanner's id: ``CKV_AWS_18``, ``CT.S3.PR.2``."""
    environment: str
    place: str
    """Stack and logical id: ``alb/AccessLogBucket``."""
    meaning: str


@dataclass(frozen=True)
class Report:
    """What a scanner found."""

    scanner: str
    """With its version: ``checkov 3.3.30``."""
    passed: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Scanner:
    """A program that looks at templates, offline."""

    name: str
    look: Callable[[Path, Sequence[Environment]], Report]
    """
    Looks at ``ENVIRONMENT/STACK.json`` in a folder, for all of these environments.

    Raises ScanError: the program is not there, failed, or has not looked at everything.
    """
