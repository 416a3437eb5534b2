"""What every scanner of templates is given and answers, whoever wrote its checks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 600


class ScanError(Exception):
    """The scan proves nothing: what is to be read cannot be, or not all of it was looked at."""


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


def answered(command: Sequence[str], folder: Path, ends: Collection[int]) -> Any:
    """
    Run *command* in *folder* and return the JSON that it says.

    Raises:
        ScanError: it says none, or its exit code is none of *ends*.

    """
    done = subprocess.run(  # noqa: S603 - our own program on our own files
        list(command),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=PATIENCE_SECONDS,
    )
    name = Path(command[0]).name
    try:
        answer: Any = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise ScanError(f"{name} ended with {done.returncode} and no report: {said}") from error
    if done.returncode not in ends:
        raise ScanError(f"{name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return answer
