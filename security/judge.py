"""
Compares findings with `accepted.yaml`: findings without a reason, and reasons without a finding.

Pure: reads no file, runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from security.scanner import Environment, Finding, ScanError

SHORTEST_REASON = 40
"""Characters; "by design" is no reason."""
NEEDED = frozenset({"check", "at", "reason"})
NARROWER = frozenset({"environments", "systems", "tiers"})


@dataclass(frozen=True)
class Acceptance:
    """
    Checks that these places may fail, and why.

    Environments, systems and tiers narrow it down; left out, the reason holds in all of them.
    """

    checks: tuple[str, ...]
    """One id, or those of several scanners that ask the same: ``CKV_AWS_18``, ``CT.S3.PR.2``."""
    at: tuple[str, ...]
    """``alb/AccessLogBucket``."""
    reason: str
    environments: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def covers(self, finding: Finding, environment: Environment) -> bool:
        """Whether *finding*, which is *environment*'s, is what is accepted here."""
        return (
            finding.check in self.checks
            and finding.place in self.at
            and environment.name in (self.environments or (environment.name,))
            and environment.system in (self.systems or (environment.system,))
            and environment.tier in (self.tiers or (environment.tier,))
        )


@dataclass(frozen=True)
class Verdict:
    """What has to be done: nothing, if both are empty."""

    unexplained: tuple[Finding, ...]
    stale: tuple[str, ...]
    """Words of `accepted.yaml` that nothing needs any more."""


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
    if not isinstance(entry, dict) or not NEEDED <= entry.keys() <= NEEDED | NARROWER:
        raise ScanError(f"{where}: needs check, at, reason; may have environments, systems, tiers")
    checks = [entry["check"]] if isinstance(entry["check"], str) else entry["check"]
    lists = {"checks": checks} | {key: entry[key] for key in entry.keys() & ({"at"} | NARROWER)}
    for key, value in lists.items():
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise ScanError(f"{where}: {key} is a list of names")
    if any("/" not in place or "*" in place for place in entry["at"]):
        raise ScanError(f"{where}: at names each place as stack/LogicalId")
    reason = " ".join(str(entry["reason"]).split())
    if len(reason) < SHORTEST_REASON:
        raise ScanError(f"{where}: a reason that a reviewer accepts takes more words")
    return Acceptance(reason=reason, **{key: tuple(one) for key, one in lists.items()})


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
    """Yield each name in *one* that none of *found* bears out, check by check."""
    for check in one.checks:
        mine = [finding for finding in found if finding.check == check]
        there = [by_name[finding.environment] for finding in mine]
        needed = {
            "at": (one.at, {finding.place for finding in mine}),
            "environments": (one.environments, {environment.name for environment in there}),
            "systems": (one.systems, {environment.system for environment in there}),
            "tiers": (one.tiers, {environment.tier for environment in there}),
        }
        for key, (named, seen) in needed.items():
            for name in named:
                if name not in seen:
                    yield f"{check}: {key} {name}"
