"""checkov: one process looks at the templates of all environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from security.scanner import ROOT, Environment, Finding, Report, ScanError, Scanner, answered

PROGRAM = ROOT / ".venv-checkov" / "bin" / "checkov"
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
"""Without downloads it speaks to nobody; it ends with 0 whatever it finds, since that is judged here."""


def scanner(program: Path = PROGRAM) -> Scanner:
    """Return checkov, installed as *program*."""

    def look(folder: Path, environments: Sequence[Environment]) -> Report:
        if not program.exists():
            raise ScanError(f"{program} is not there: `make scan` installs it")
        command = [str(program), "--directory", str(folder), *HOW]
        return read_report(answered(command, folder, {0}), sum(one.resources for one in environments))

    return Scanner("checkov", look)


def read_report(answer: Any, resources: int) -> Report:
    """
    Return what checkov says in its JSON of templates with so many *resources*.

    Raises:
        ScanError: it is no report, or checkov has not looked at all of them.

    """
    try:
        summary = answer["summary"]
        report = Report(
            scanner=f"checkov {summary['checkov_version']}",
            passed=int(summary["passed"]),
            findings=tuple(sorted(_finding(one) for one in answer["results"]["failed_checks"])),
        )
        seen, broken = int(summary["resource_count"]), int(summary["parsing_errors"])
    except (KeyError, TypeError, ValueError) as error:
        raise ScanError(f"checkov's answer is not the report of one framework: {error!r}") from error
    if broken or seen != resources:
        raise ScanError(
            f"checkov has looked at {seen} of {resources} resources and failed to read {broken} templates"
        )
    return report


def _finding(failed: Mapping[str, Any]) -> Finding:
    """``/prod/alb.json`` and ``AWS::S3::Bucket.AccessLogBucket`` say where it is."""
    _, environment, file = failed["file_path"].split("/")
    logical_id = failed["resource"].rpartition(".")[2]
    place = f"{file.removesuffix('.json')}/{logical_id}"
    return Finding(failed["check_id"], environment, place, failed["check_name"])
