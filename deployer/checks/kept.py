"""
Finds resources that an earlier `destroy` kept, to import them into the new stack. Pure.

A resource belongs to the environment only with the environment's tags and all tags of the template. If two
match, it is unknown which one holds the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.checks.names import named, pseudo, surely
from deployer.kept import RETAINED, Kept
from generator.manifest import StackSpec

IDENTIFIERS: Mapping[str, str] = {
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::KMS::Key": "KeyId",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
}
"""Type -> its primary identifier (CloudFormation resource provider schemas), by which it is imported."""
VALUES = frozenset({"SecretString", "GenerateSecretString"})
"""Properties whose change makes a new value (template reference, AWS::SecretsManager::Secret)."""
SYSTEM_TAGS = ("aws:cloudformation:logical-id", "aws:cloudformation:stack-name")
SECTIONS = ("AWSTemplateFormatVersion", "Description", "Parameters", "Mappings", "Conditions")


@dataclass(frozen=True)
class Candidate:
    """Something in the account that carries the environment's tags."""

    type: str
    id: str
    """Its primary identifier."""
    name: str
    """What a template would call it; empty where the type knows no name."""
    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    """Why it cannot be used, and what helps."""

    def fits(self, logical_id: str, spec: StackSpec) -> bool:
        """Whether its CloudFormation tags, if any, match this resource."""
        wanted = (logical_id, spec.stack_name)
        return all(self.tags.get(key, value) == value for key, value in zip(SYSTEM_TAGS, wanted, strict=True))


def keeps(spec: StackSpec, region: str, account: str | None) -> bool:
    """Whether the deletion of *spec* keeps something that can be imported again."""
    return bool(_retained(spec, pseudo(region, account)))


def matched(
    spec: StackSpec, found: Collection[Candidate], region: str, account: str | None
) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """
    Return which of *found* belong to *spec*, and a line for each that is unusable or ambiguous.

    Matched by name if the template gives one, else by tags.
    """
    names = {one.logical_id: one.name for one in named((spec,), region, account)}
    taken, doubts = [], []
    for logical_id, resource in sorted(_retained(spec, pseudo(region, account)).items()):
        of_type = [one for one in found if one.type == resource["Type"] and one.fits(logical_id, spec)]
        name, tags = names.get(logical_id), _tags(resource)
        if name:
            fitting = [one for one in of_type if one.name == name]
        else:
            fitting = [one for one in of_type if tags and tags.items() <= one.tags.items()]
        usable = [one for one in fitting if not one.trouble]
        doubts += [f"{spec.name}/{logical_id}: {one.trouble}" for one in fitting if not usable]
        fitting = usable
        if len(fitting) > 1:
            doubts.append(_doubt(spec, logical_id, resource["Type"], fitting))
        taken += [Kept(logical_id, one.type, one.id) for one in fitting if len(fitting) == 1]
    return tuple(taken), tuple(doubts)


def again(spec: StackSpec, left: Collection[Kept], region: str, account: str | None) -> tuple[Kept, ...]:
    """Return what *spec*'s template can import of *left*, the resources that a failed creation left."""
    wanted = _retained(spec, pseudo(region, account))
    types = {name: resource["Type"] for name, resource in wanted.items()}
    return tuple(one for one in left if not one.snapshot and types.get(one.logical_id) == one.type)


def import_template(template: str, taken: Collection[Kept]) -> str:
    """
    Return the part of *template* that an import may have: imported resources, and no outputs.

    References to resources not created yet are left out; the update that follows adds it.
    """
    whole = json.loads(template)
    ids = {one.logical_id for one in taken}
    absent = whole["Resources"].keys() - ids
    resources = {
        name: {key: value for key, value in _pruned(resource, absent).items() if key != "DependsOn"}
        for name, resource in whole["Resources"].items()
        if name in ids
    }
    return json.dumps({key: whole[key] for key in SECTIONS if key in whole} | {"Resources": resources})


def _retained(spec: StackSpec, known: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the retained resources that can be imported, of those that the stack certainly has."""
    resources = json.loads(spec.template).get("Resources", {})
    return {
        name: resource
        for name, resource in surely(spec, known).items()
        if resource.get("DeletionPolicy") in RETAINED
        and resource["Type"] in IDENTIFIERS
        and not VALUES & _dropped(resource, resources.keys() - _staying(resources))
    }


def _staying(resources: Mapping[str, Any]) -> set[str]:
    return {name for name, one in resources.items() if one.get("DeletionPolicy") in RETAINED}


def _dropped(resource: Mapping[str, Any], absent: Collection[str]) -> set[str]:
    properties = resource.get("Properties", {})
    return {name for name, value in properties.items() if set(_referred(value)) & set(absent)}


def _pruned(resource: Mapping[str, Any], absent: Collection[str]) -> dict[str, Any]:
    dropped = _dropped(resource, absent)
    properties = resource.get("Properties", {}).items()
    return {**resource, "Properties": {name: value for name, value in properties if name not in dropped}}


def _referred(value: Any) -> Iterator[str]:
    """Yield the names that *value* refers to: resources, parameters and pseudo parameters."""
    if isinstance(value, list):
        for one in value:
            yield from _referred(one)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "Ref":
            yield inner
        elif key == "Fn::GetAtt":
            yield inner[0] if isinstance(inner, list) else inner.partition(".")[0]
        else:
            text = inner[0] if isinstance(inner, list) and key == "Fn::Sub" else inner
            if key == "Fn::Sub":
                yield from (one.partition(".")[0] for one in re.findall(r"\$\{([^!}]+)\}", text))
            yield from _referred(inner)


def _tags(resource: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the tags that the template gives a resource as text."""
    pairs = resource.get("Properties", {}).get("Tags", ())
    return {
        one["Key"]: one["Value"]
        for one in pairs
        if isinstance(one, dict) and isinstance(one.get("Value"), str)
    }


def _doubt(spec: StackSpec, logical_id: str, type_: str, fitting: Collection[Candidate]) -> str:
    arns = sorted(one.arn for one in fitting)
    what = f"{spec.name}/{logical_id}: {', '.join(arns)} could each be the {type_} that was kept"
    untag = "aws resourcegroupstaggingapi untag-resources --tag-keys Environment --resource-arn-list ARN"
    return f"{what}: `{untag}` excludes one that must not be imported"
