"""
Runs cfn-lint's rules on every template of an environment. Writes nothing but cached findings.

cfn-lint is loaded only if a template has to be checked: loading takes longer than checking most templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from generator import forked
from generator.kept_findings import Kept, kept
from generator.manifest import Manifest, StackSpec
from stacks.extensions import Added

EXCEPTIONS: Mapping[tuple[str, str], str] = {}
"""(rule id, resource type) -> why its findings do not count. The only place where findings are suppressed."""

SETTINGS_KEYS: Mapping[tuple[str, str], str] = {
    ("AWS::EC2::Subnet", "CidrBlock"): "network.public_subnet_cidrs, network.private_subnet_cidrs",
    ("AWS::EC2::VPC", "CidrBlock"): "network.vpc_cidr",
    ("AWS::ECS::Cluster", "ClusterSettings"): "observability.container_insights",
    ("AWS::ECS::Service", "DesiredCount"): "service.desired_count",
    ("AWS::ECS::Service", "EnableExecuteCommand"): "service.execute_command",
    ("AWS::ECS::TaskDefinition", "Cpu"): "service.cpu",
    ("AWS::ECS::TaskDefinition", "Memory"): "service.memory_mb",
    ("AWS::ECS::TaskDefinition", "RuntimePlatform"): "service.architecture",
    ("AWS::ElastiCache::ReplicationGroup", "CacheNodeType"): "cache.node_type",
    ("AWS::ElastiCache::ReplicationGroup", "NumCacheClusters"): "cache.nodes",
    ("AWS::ElastiCache::ReplicationGroup", "SnapshotRetentionLimit"): "cache.snapshot_retention_days",
    ("AWS::ElastiCache::ReplicationGroup", "TransitEncryptionMode"): "cache.transit_encryption",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): "environment",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Scheme"): "alb.internal",
    ("AWS::Lambda::Function", "FunctionName"): "environment",
    ("AWS::Logs::LogGroup", "RetentionInDays"): "observability.log_retention_days",
    ("AWS::RDS::DBCluster", "BackupRetentionPeriod"): "database.backup_retention_days",
    ("AWS::RDS::DBCluster", "DeletionProtection"): "database.deletion_protection",
    ("AWS::RDS::DBCluster", "EngineVersion"): "database.engine_version",
    ("AWS::RDS::DBCluster", "ServerlessV2ScalingConfiguration"): "database.min_acu, database.max_acu",
    ("AWS::RDS::DBClusterParameterGroup", "Parameters"): "database.parameters",
    ("AWS::RDS::DBInstance", "AllocatedStorage"): "database.storage_gb",
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod"): "database.backup_retention_days",
    ("AWS::RDS::DBInstance", "DBInstanceClass"): "database.instance_class",
    ("AWS::RDS::DBInstance", "DeletionProtection"): "database.deletion_protection",
    ("AWS::RDS::DBInstance", "EnableIAMDatabaseAuthentication"): "database.iam_authentication",
    ("AWS::RDS::DBInstance", "EnablePerformanceInsights"): "database.performance_insights",
    ("AWS::RDS::DBInstance", "EngineVersion"): "database.engine_version",
    ("AWS::RDS::DBInstance", "MultiAZ"): "database.multi_az",
    ("AWS::RDS::DBParameterGroup", "Parameters"): "database.parameters",
    ("AWS::SecretsManager::RotationSchedule", "RotationRules"): "secrets.rotation_days",
}
"""(resource type, property) -> the key of the environment file that decides it."""

SETTINGS_KEYS_BY_RULE: Mapping[str, str] = {
    "E3047": "service.cpu, service.memory_mb",
    "W3691": "database.engine_version",
}
"""Rules that point at a whole resource -> the key that decides what they check."""

CRASHED = "E0002"
"""A rule of cfn-lint's crashed: that may be the machine's fault, and is not cached."""

COMMON = "us-east-1"
"""The region whose rules are loaded before the environment's is known; loading others then is fast."""
_SEEN = ("cfn-lint was asked",)

Ask = Callable[[Any], Any]
"""Runs cfn-lint: see `_worked_out`."""

LONGEST_MESSAGE = 240
"""Characters; cfn-lint lists all of a hundred allowed values, which hides what is wrong."""


_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
"""A character like an emoji in JSON's escapes; cfn-lint reads JSON as YAML, which has no such pairs."""


@dataclass(frozen=True)
class Finding:
    """One finding of cfn-lint about a template."""

    stack: str
    logical_id: str | None
    path: str
    """Where in the template: ``Resources/Database/Properties/EngineVersion``."""
    rule: str
    level: str
    """error, warning or informational."""
    message: str
    setting: str | None
    """The key of the environment file to change, where known."""
    source: str = ""
    """Where a person wrote it, if it is in a template of the team's own: ``extensions/extras.yaml:12``."""
    patched: str = ""
    """Where the environment's file patches the resource: ``environments/prod.yaml:41``."""

    def __str__(self) -> str:
        """Return one line: template, place, rule, message, key or patches."""
        key = f" (change {self.setting})" if self.setting else ""
        if self.patched:
            key = f" (patched by {self.patched})"
        where = self.source or f"{self.stack}.json"
        return f"{where}: {self.path}: {self.rule} {self.level}: {self.message}{key}"


def check(
    manifest: Manifest, *, keep: Kept | None = None, processes: int = 1, ask: Ask | None = None
) -> tuple[Finding, ...]:
    """
    Return all errors and warnings in *manifest*'s templates, less the `EXCEPTIONS`, stack by stack.

    Templates with findings in *keep* are not checked again; the others are split among *processes*, started
    here or, with the result of `ahead`, by the process that it started.
    """
    region = manifest.region
    found = {} if keep is None else {stack.name: _kept(keep, stack, region) for stack in manifest.stacks}
    rest = [stack for stack in manifest.stacks if found.get(stack.name) is None]
    templates = [[stack.name, stack.template] for stack in rest]
    entries = (ask or _worked_out)([region, processes, templates]) if rest else []
    for stack, each in zip(rest, entries, strict=True):
        findings = found[stack.name] = tuple(Finding(**entry) for entry in each)
        if keep is not None and CRASHED not in {finding.rule for finding in findings}:
            keep.put(each, stack.name, stack.template, region)
    if keep is not None and rest:
        keep.put(None, *_SEEN)
    return tuple(
        with_patches(finding, stack) for stack in manifest.stacks for finding in found[stack.name] or ()
    )


def with_patches(finding: Finding, stack: StackSpec) -> Finding:
    """Return *finding* with the patches of its resource in *stack*."""
    where = ", ".join(one.where for one in stack.patched if one.resource == finding.logical_id)
    return replace(finding, patched=where) if where else finding


def sourced(findings: Iterable[Finding], added: Added) -> tuple[Finding, ...]:
    """Return *findings* with the lines of the team's own templates, for findings in these."""
    files = {one.name: one for one in added.stacks}
    lines = {
        name: {"/".join(map(str, place)): line for place, line in one.lines.items()}
        for name, one in files.items()
    }
    return tuple(
        replace(one, source=_source(one.path, files[one.stack].file, lines[one.stack]))
        if one.stack in files
        else one
        for one in findings
    )


def _source(path: str, file: str, lines: Mapping[str, int]) -> str:
    """Return the file, with the line of *path* or of the nearest above it that the file has."""
    parts = path.split("/")
    above = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
    line = next((lines[one] for one in above if one in lines), None)
    return f"{file}:{line}" if line else file


def kept_for_user() -> Kept | None:
    """Return this user's cached findings of earlier runs, None if caching is not possible."""
    return kept(Path(__file__))


def ahead(keep: Kept | None) -> Ask | None:
    """Load cfn-lint in the background, unless cached findings in *keep* may make it unnecessary."""
    if keep is not None and keep.has(*_SEEN):
        return None
    return forked.ahead(lambda: _runner(COMMON), _worked_out)


def _kept(keep: Kept, stack: StackSpec, region: str) -> tuple[Finding, ...] | None:
    entry = keep.get(stack.name, stack.template, region)
    try:
        return None if entry is None else tuple(Finding(**finding) for finding in entry)
    except TypeError:
        return None


def _worked_out(question: Any) -> Any:
    """
    Run cfn-lint, the longest templates first, so that the last one to end is short.

    Takes region, processes, and name and text of each template; returns the findings of each. All is JSON.
    """
    region, processes, templates = question
    _runner(region)  # once, before the processes fork
    places = sorted(range(len(templates)), key=lambda place: -len(templates[place][1]))
    entries = forked.each(lambda place: _entries(region, *templates[place]), places, processes)
    found = dict(zip(places, entries, strict=True))
    return [found[place] for place in range(len(templates))]


def _entries(region: str, name: str, text: str) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in _findings(StackSpec(name, name, text), _runner(region))]


@cache
def _runner(region: str) -> Any:
    """
    Load cfn-lint's rules, once for each region: that takes longer than most templates.

    A region unknown to this cfn-lint gets the rules of `COMMON`.
    """
    from cfnlint.config import ConfigMixIn, ManualArgs  # noqa: PLC0415 - takes half a second
    from cfnlint.helpers import REGIONS  # noqa: PLC0415
    from cfnlint.runner import Runner  # noqa: PLC0415

    return Runner(ConfigMixIn(**ManualArgs(regions=[region if region in REGIONS else COMMON])))


def _findings(stack: StackSpec, runner: Any) -> Iterator[Finding]:
    from cfnlint.decode import decode_str  # noqa: PLC0415 - see above

    resources = json.loads(stack.template).get("Resources", {})
    template, unreadable = decode_str(_PAIR.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), stack.template))
    for match in unreadable or runner.validate_template(template):
        path = [str(part) for part in getattr(match, "path", None) or ()]
        logical_id = path[1] if path[:1] == ["Resources"] and len(path) > 1 else None
        resource_type = resources.get(logical_id, {}).get("Type", "")
        if (match.rule.id, resource_type) in EXCEPTIONS:
            continue
        yield Finding(
            stack=stack.name,
            logical_id=logical_id,
            path="/".join(path) or f"line {match.linenumber}",
            rule=match.rule.id,
            level=match.rule.severity,
            message=shorten(match.message, LONGEST_MESSAGE, placeholder=" …"),
            setting=setting_of(match.rule.id, resource_type, path),
        )


def setting_of(rule: str, resource_type: str, path: Sequence[str]) -> str | None:
    """Return the keys that decide what *rule* checks at *path* of a template, if known."""
    by_property = SETTINGS_KEYS.get((resource_type, path[3])) if len(path) > 3 else None
    return by_property or SETTINGS_KEYS_BY_RULE.get(rule)
