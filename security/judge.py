"""
Checkov's findings against what `accepted.yaml` accepts: which have no reason, which reasons have no finding.

Pure: reads no file, runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import yaml

SHORTEST_REASON = 40
"""Characters; "by design" is no reason."""


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
    """Checkov's id: ``CKV_AWS_18``."""
    environment: str
    place: str
    """Stack and logical id: ``alb/AccessLogBucket``."""
    meaning: str


@dataclass(frozen=True)
class Acceptance:
    """
    A check that these places may fail, and why.

    Environments, systems and tiers narrow it down; left out, the reason holds in all of them.
    """

    check: str
    at: tuple[str, ...]
    """``alb/AccessLogBucket``."""
    reason: str
    environments: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def covers(self, finding: Finding, environment: Environment) -> bool:
        """Whether *finding*, which is *environment*'s, is what is accepted here."""
        return (
            finding.check == self.check
            and finding.place in self.at
            and environment.name in (self.environments or (environment.name,))
            and environment.system in (self.systems or (environment.system,))
            and environment.tier in (self.tiers or (environment.tier,))
        )


@dataclass(frozen=True)
class Report:
    """What checkov found."""

    version: str
    passed: int
    findings: tuple[Finding, ...]
    resources: int


@dataclass(frozen=True)
class Verdict:
    """What has to be done: nothing, if both are empty."""

    unexplained: tuple[Finding, ...]
    stale: tuple[str, ...]
    """Words of `accepted.yaml` that nothing needs any more."""


def read_report(answer: Any, resources: int) -> Report:
    """
    Return what checkov says in its JSON of templates with so many *resources*.

    Raises:
        ScanError: it is no report, or checkov has not looked at all of them.

    """
    try:
        summary = answer["summary"]
        report = Report(
            version=str(summary["checkov_version"]),
            passed=int(summary["passed"]),
            findings=tuple(sorted(_finding(one) for one in answer["results"]["failed_checks"])),
            resources=int(summary["resource_count"]),
        )
        broken = int(summary["parsing_errors"])
    except (KeyError, TypeError, ValueError) as error:
        raise ScanError(f"checkov's answer is not the report of one framework: {error!r}") from error
    if broken or report.resources != resources:
        raise ScanError(
            f"checkov has looked at {report.resources} of {resources} resources "
            f"and failed to read {broken} templates"
        )
    return report


def _finding(failed: Mapping[str, Any]) -> Finding:
    """``/prod/alb.json`` and ``AWS::S3::Bucket.AccessLogBucket`` say where it is."""
    _, environment, file = failed["file_path"].split("/")
    logical_id = failed["resource"].rpartition(".")[2]
    place = f"{file.removesuffix('.json')}/{logical_id}"
    return Finding(failed["check_id"], environment, place, failed["check_name"])


def read_acceptances(text: str) -> tuple[Acceptance, ...]:
    """
    Return what the YAML *text* accepts.

    Raises:
        ScanError: an entry is not one; it is told by its number and its check.

    """
    try:
        entries = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        raise ScanError(f"no YAML: {error}") from error
    if not isinstance(entries, list):
        raise ScanError("not a list of entries")
    return tuple(_acceptance(number, entry) for number, entry in enumerate(entries, start=1))


def _acceptance(number: int, entry: Any) -> Acceptance:
    where = f"entry {number} ({entry.get('check', 'no check') if isinstance(entry, dict) else entry})"
    known = {field.name for field in fields(Acceptance)}
    if not isinstance(entry, dict) or not {"check", "at", "reason"} <= entry.keys() <= known:
        raise ScanError(f"{where}: needs check, at, reason; may have environments, systems, tiers")
    lists = {key: value for key, value in entry.items() if key not in {"check", "reason"}}
    for key, value in lists.items():
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise ScanError(f"{where}: {key} is a list of names")
    if any("/" not in place or "*" in place for place in entry["at"]):
        raise ScanError(f"{where}: at names each place as stack/LogicalId")
    reason = " ".join(str(entry["reason"]).split())
    if len(reason) < SHORTEST_REASON:
        raise ScanError(f"{where}: a reason that a reviewer accepts takes more words")
    return Acceptance(str(entry["check"]), reason=reason, **{key: tuple(one) for key, one in lists.items()})


def judge(
    findings: Sequence[Finding], acceptances: Sequence[Acceptance], environments: Sequence[Environment]
) -> Verdict:
    """Return what of *findings* nobody accepts, and what is accepted that nobody finds."""
    by_name = {one.name: one for one in environments}
    covered = {
        one: [finding for finding in findings if one.covers(finding, by_name[finding.environment])]
        for one in acceptances
    }
    explained = {finding for each in covered.values() for finding in each}
    stale = [word for one, found in covered.items() for word in _stale(one, found, by_name)]
    return Verdict(tuple(one for one in findings if one not in explained), tuple(stale))


def _stale(one: Acceptance, found: Sequence[Finding], by_name: Mapping[str, Environment]) -> Iterator[str]:
    """Yield each name in *one* that none of *found* bears out."""
    there = [by_name[finding.environment] for finding in found]
    needed = {
        "at": (one.at, {finding.place for finding in found}),
        "environments": (one.environments, {environment.name for environment in there}),
        "systems": (one.systems, {environment.system for environment in there}),
        "tiers": (one.tiers, {environment.tier for environment in there}),
    }
    for key, (named, seen) in needed.items():
        for name in named:
            if name not in seen:
                yield f"{one.check}: {key} {name}"
