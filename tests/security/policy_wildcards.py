"""
Every `*` that a policy of ours allows something with: where it stands, and what security/wildcards.yaml says.

Policies are found by their shape, a list called Statement, wherever they are in a template: roles, keys,
buckets, topics, endpoints. A refusal is left out: there a wildcard only refuses more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import yaml

from generator.manifest import Manifest
from security.scan import manifests
from stacks.bootstrap import STACK_NAME
from stacks.environment import load
from tests.places import ROOT
from tests.stacks.bootstrap.iam_policies import ACCOUNT, REGION, resolved

TABLE = ROOT / "security" / "wildcards.yaml"
ELEMENTS = ("Principal", "Action", "Resource", "Condition")
KEYS = {"at", "wildcards", "reason", "source"}
NO_RESOURCE = "AWS knows no resource"
"""Prefix of the reason if the Service Authorization Reference has no resource for any of the actions."""
NOT_IN_THE_TABLE = {
    "elasticloadbalancing:SetWebAcl",
    "route53:ListHostedZonesByVPC",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "xray:GetSamplingRules",
    "xray:GetSamplingStatisticSummaries",
    "tag:GetResources",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that handlers never ask for, so that service_authorization.json lacks them; looked up by hand."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy in a template."""

    environment: str
    place: str
    """Stack, logical id, Sid: ``security/ExecutionRole/EcrLogin``; ``Trust`` for who may assume a role."""
    content: Mapping[str, Any]
    """With the environment's own names in braces: ``{env}``, ``{account}``."""

    @property
    def actions(self) -> list[str]:
        """Its actions."""
        return list(_texts(self.content["Action"]))


@dataclass(frozen=True)
class Wildcard:
    """A text with `*` or `?` in a statement that allows."""

    statement: Statement
    text: str

    def __str__(self) -> str:
        return f"{self.statement.place}: {self.text} ({self.statement.environment})"


@dataclass(frozen=True)
class Explanation:
    """The reason for the width of some wildcards."""

    at: tuple[str, ...]
    """Places; `*` stands for any."""
    wildcards: tuple[str, ...]
    reason: str
    source: str

    def explains(self, one: Wildcard) -> bool:
        """Whether it covers *one*."""
        return one.text in self.wildcards and any(fnmatchcase(one.statement.place, at) for at in self.at)


def explanations() -> list[Explanation]:
    """Return the table; an entry with missing or additional keys is refused."""
    found = []
    for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8")):
        assert entry.keys() == KEYS, f"{entry.keys() ^ KEYS} in {entry}"
        reason = " ".join(entry["reason"].split())
        found.append(Explanation(tuple(entry["at"]), tuple(entry["wildcards"]), reason, entry["source"]))
    return found


@cache
def statements() -> tuple[Statement, ...]:
    """Return every statement of every deployed policy, also of the account's own stack."""
    return tuple(_statements())


def _statements() -> Iterator[Statement]:
    for environment, manifest in manifests():
        for spec in manifest.stacks:
            for title, resource in json.loads(spec.template)["Resources"].items():
                for where, found in _found(resource["Properties"], ""):
                    place = f"{spec.name}/{title}/{found.get('Sid') or where}"
                    yield Statement(environment.name, place, _with_names(found, _prefix(manifest)))


def _prefix(manifest: Manifest) -> str:
    """The account's own stack is that of watched.yaml."""
    if manifest.stacks[0].stack_name == STACK_NAME:
        return load(TABLE.parent / "environments" / "watched.yaml").prefix
    return f"{manifest.environment}-{manifest.system}"


def _found(value: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, list):
        for one in value:
            yield from _found(one, where)
    elif isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield from ((where, one) for one in value["Statement"])
            return
        for key, one in value.items():
            yield from _found(one, "Trust" if key == "AssumeRolePolicyDocument" else where)


def _with_names(statement: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    text = json.dumps(resolved(statement, lambda name: f"{{{name}}}"))
    for value, name in ((ACCOUNT, "account"), (REGION, "region"), (prefix, "env")):
        text = text.replace(value, f"{{{name}}}")
    found: Mapping[str, Any] = json.loads(text)
    return found


def wildcards() -> list[Wildcard]:
    """Return every wildcard of the statements that allow."""
    return [
        Wildcard(one, f"Principal {text}" if element == "Principal" else text)
        for one in statements()
        if one.content["Effect"] == "Allow"
        for element in ELEMENTS
        for text in _texts(one.content.get(element, []))
        if "*" in text or "?" in text
    ]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
