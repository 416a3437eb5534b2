"""checkov: one process checks the templates of all environments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generator.policy import checkov
from security.scanner import ROOT, Environment, Finding, Report, ScanError, Scanner

PROGRAM = ROOT / checkov.BESIDE


def scanner(program: Path = PROGRAM) -> Scanner:
    """Return checkov, installed as *program*."""

    def look(folder: Path, environments: Sequence[Environment]) -> Report:
        if not program.exists():
            raise ScanError(f"{program} is not there: `make scan` installs it")
        return _report(checkov.look(program, folder, sum(one.resources for one in environments)))

    return Scanner("checkov", look)


def read_report(answer: Any, resources: int) -> Report:
    """Return what checkov says in its JSON of templates with so many *resources*; raises ScanError."""
    return _report(checkov.read(answer, resources))


def _report(seen: checkov.Seen) -> Report:
    return Report(f"checkov {seen.version}", seen.passed, tuple(sorted(map(_finding, seen.failures))))


def _finding(failed: checkov.Failure) -> Finding:
    """``/prod/alb.json`` says where it is."""
    _, environment, file = failed.file.split("/")
    place = f"{file.removesuffix('.json')}/{failed.logical_id}"
    return Finding(failed.check, environment, place, failed.meaning)
