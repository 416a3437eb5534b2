"""Runs checkov and reads each failed check from its JSON output."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.policy.programs import ScanError, answered, cut, told

HOW = (
    "--framework",
    "cloudformation",
    "--output",
    "json",
    "--compact",
    "--quiet",
    "--skip-download",
    "--soft-fail",
)
"""Without downloads it needs no network; it exits with 0 for all results, which are evaluated here."""
INSTALL = (
    "put checkov 3 on PATH, as https://www.checkov.io/2.Basics/Installing%20Checkov.html says, "
    "or take its checks away"
)
BESIDE = Path(".venv-checkov") / "bin" / "checkov"
"""In gatestack's own checkout, where `make scan` puts it."""
ITS_OWN = "checkov."
"""Class names of checkov's own checks, and of its runner of YAML checks."""
_BROKEN = re.compile(r"Traceback|Cannot load|Failed to load")
"""Text on stderr about a check that cannot be loaded; checkov continues without it and exits with 0."""


@dataclass(frozen=True, order=True)
class Failure:
    """A check that a resource fails."""

    check: str
    file: str
    """``/prod/alb.json``, below the folder that was checked."""
    logical_id: str
    property: str
    """``Properties/MultiAZ``, or empty."""
    meaning: str
    kind: str
    """The Python class of the check."""


@dataclass(frozen=True)
class Seen:
    """Checkov's results for a folder."""

    version: str
    passed: int
    failures: tuple[Failure, ...]


def look(program: Path, folder: Path, resources: int, checks: Sequence[Path] = ()) -> Seen:
    """
    Run checkov over *folder*, whose templates have so many *resources*; *checks*: folders of a team's own.

    Raises:
        ScanError: it failed, has not checked all of them, or cannot load one of the checks.

    """
    own = [part for one in checks for part in ("--external-checks-dir", str(one))]
    answer = answered([str(program), "--directory", str(folder), *HOW, *own], folder, {0})
    if checks and _BROKEN.search(answer.remarks):
        raise ScanError(f"checkov cannot load a check: {told(answer.remarks)}")
    return read(answer.document, resources)


def read(document: Any, resources: int) -> Seen:
    """
    Return what checkov's JSON of templates with so many *resources* says.

    Raises:
        ScanError: it is no report, or checkov has not checked all of them.

    """
    try:
        summary = document["summary"]
        failed = tuple(sorted(_failure(one) for one in document["results"]["failed_checks"]))
        found = Seen(str(summary["checkov_version"]), int(summary["passed"]), failed)
        seen, broken = int(summary["resource_count"]), int(summary["parsing_errors"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScanError(f"checkov's answer is not the report of one framework: {error!r}") from error
    if broken or seen != resources:
        raise ScanError(
            f"checkov has looked at {seen} of {resources} resources and failed to read {broken} templates"
        )
    return found


def own(found: Collection[Failure], ids: Collection[str]) -> tuple[Failure, ...]:
    """Return those of a team's own checks: a Python class of theirs, or one of *ids*, which are in YAML."""
    return tuple(one for one in found if one.check in ids or not one.kind.startswith(ITS_OWN))


def _failure(failed: Any) -> Failure:
    keys = (failed.get("check_result") or {}).get("evaluated_keys") or [""]
    key = str(keys[0])
    return Failure(
        failed["check_id"],
        failed["file_path"],
        failed["resource"].rpartition(".")[2],
        key if key.startswith("Properties") or not key else f"Properties/{key}",
        cut(failed["check_name"]),
        str(failed.get("check_class", ITS_OWN)),
    )
