"""The gate: cfn-lint's rules over every template of an environment, in one process. Changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import shorten
from typing import Any

from cfnlint.config import ConfigMixIn, ManualArgs
from cfnlint.decode import decode_str
from cfnlint.runner import Runner

from generator.manifest import Manifest, StackSpec

EXCEPTIONS: Mapping[tuple[str, str], str] = {}
"""(rule id, resource type) -> why its findings do not count. The only place where a finding is let pass."""

SETTINGS_KEYS: Mapping[tuple[str, str], str] = {
    ("AWS::EC2::Subnet", "CidrBlock"): "network.public_subnet_cidrs, network.private_subnet_cidrs",
    ("AWS::EC2::VPC", "CidrBlock"): "network.vpc_cidr",
    ("AWS::ECS::TaskDefinition", "Cpu"): "service.cpu",
    ("AWS::ECS::TaskDefinition", "Memory"): "service.memory_mb",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): "environment",
    ("AWS::Lambda::Function", "FunctionName"): "environment",
    ("AWS::Logs::LogGroup", "RetentionInDays"): "observability.log_retention_days",
    ("AWS::RDS::DBCluster", "EngineVersion"): "database.engine_version",
    ("AWS::RDS::DBCluster", "ServerlessV2ScalingConfiguration"): "database.min_acu, database.max_acu",
    ("AWS::RDS::DBClusterParameterGroup", "Parameters"): "database.parameters",
    ("AWS::RDS::DBInstance", "AllocatedStorage"): "database.storage_gb",
    ("AWS::RDS::DBInstance", "DBInstanceClass"): "database.instance_class",
    ("AWS::RDS::DBInstance", "EngineVersion"): "database.engine_version",
    ("AWS::RDS::DBParameterGroup", "Parameters"): "database.parameters",
    ("AWS::SecretsManager::RotationSchedule", "RotationRules"): "secrets.rotation_days",
}
"""(resource type, property) -> the key of the environment file that decides it."""

SETTINGS_KEYS_BY_RULE: Mapping[str, str] = {
    "E3047": "service.cpu, service.memory_mb",
    "W3691": "database.engine_version",
}
"""Rules that point at a whole resource -> the key that decides what they look at."""

LONGEST_MESSAGE = 240
"""Characters; cfn-lint lists all of a hundred allowed values, which hides what is wrong."""


_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
"""A character like an emoji in JSON's escapes; cfn-lint reads JSON as YAML, which knows no such pairs."""


@dataclass(frozen=True)
class Finding:
    """One thing that cfn-lint has against a template."""

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

    def __str__(self) -> str:
        """Return one line: template, place, rule, message, key."""
        key = f" (change {self.setting})" if self.setting else ""
        return f"{self.stack}.json: {self.path}: {self.rule} {self.level}: {self.message}{key}"


def check(manifest: Manifest) -> tuple[Finding, ...]:
    """Return all errors and warnings in *manifest*'s templates, less the `EXCEPTIONS`, stack by stack."""
    runner = _runner(manifest.region)
    return tuple(finding for stack in manifest.stacks for finding in _findings(stack, runner))


@cache
def _runner(region: str) -> Any:
    """Load cfn-lint's rules, once for each region: that takes longer than most templates."""
    return Runner(ConfigMixIn(**ManualArgs(regions=[region])))


def _findings(stack: StackSpec, runner: Any) -> Iterator[Finding]:
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
            setting=_setting(match.rule.id, resource_type, path),
        )


def _setting(rule: str, resource_type: str, path: Sequence[str]) -> str | None:
    by_property = SETTINGS_KEYS.get((resource_type, path[3])) if len(path) > 3 else None
    return by_property or SETTINGS_KEYS_BY_RULE.get(rule)
