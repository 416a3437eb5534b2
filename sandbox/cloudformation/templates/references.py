"""References in a template: validated before anything is created, and the resulting order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cloudformation.templates.template import ResourceSpec, Template
from sandbox.errors import invalid
from sandbox.provisioning import Schemas

Json = Any
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in (
        "AccountId",
        "NoValue",
        "NotificationARNs",
        "Partition",
        "Region",
        "StackId",
        "StackName",
        "URLSuffix",
    )
)
_NAMES = {"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName", "AWS::IAM::Group": "GroupName"}
_NAMES |= {"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::InstanceProfile": "InstanceProfileName"}
_IAM = frozenset(_NAMES) | {"AWS::IAM::Policy", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition"}
SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")


@dataclass(frozen=True)
class Reference:
    """One use of a name; `attribute` is None for what `Ref` means."""

    name: str
    attribute: str | None


def references(value: Json) -> Iterator[Reference]:
    """Yield every Ref, GetAtt and name in a Sub inside of *value*."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "Ref" and len(value) == 1:
            yield Reference(str(inner), None)
        elif key == "Fn::GetAtt" and len(value) == 1:
            yield attribute_of(inner)
        elif key == "Fn::Sub" and len(value) == 1:
            yield from _substituted(inner)
        else:
            yield from references(inner)


def attribute_of(argument: Json) -> Reference:
    """Read the argument of a GetAtt, `[name, attribute]` or `name.attribute`."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if (
        not isinstance(parts, list)
        or len(parts) < 2
        or not all(isinstance(part, str) and part for part in parts)
    ):
        raise invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, "
            "the resource name and the resource attribute"
        )
    return Reference(parts[0], ".".join(parts[1:]))


def _substituted(argument: Json) -> Iterator[Reference]:
    text, given = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if not isinstance(text, str) or not isinstance(given, dict):
        raise invalid(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments."
        )
    yield from references(list(given.values()))
    for literal, name in SUBSTITUTION.findall(text):
        if literal or name.strip() in given:
            continue
        head, _, attribute = name.strip().partition(".")
        yield Reference(head, attribute or None)


def _arguments_of(function: str, value: Json) -> Iterator[Json]:
    """Yield the arguments of each use of *function* inside of *value*."""
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from _arguments_of(function, inner)
    if isinstance(value, dict) and function in value:
        yield value[function]


def check(template: Template, schemas: Schemas) -> None:
    """Refuse a template with unknown names, or with a cycle; raises ApiError."""
    unknown = sorted({spec.type for spec in template.resources.values() if not schemas.known(spec.type)})
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    _check_conditions(template)
    for spec in template.resources.values():
        _check_block(template, schemas, [spec.properties, spec.metadata], "Resources")
        _check_names(set(spec.depends_on), set(template.resources), "Resources")
    for output in template.outputs.values():
        _check_block(template, schemas, [output.value, output.export], "Outputs")
    _check_imports(template)
    order(dependencies(template))


def _check_conditions(template: Template) -> None:
    asked: list[tuple[str | None, Json]] = [
        (spec.condition, spec.properties) for spec in template.resources.values()
    ]
    asked += [(output.condition, [output.value, output.export]) for output in template.outputs.values()]
    for condition, value in asked:
        for argument in _arguments_of("Fn::If", value):
            name = argument[0] if isinstance(argument, list) and argument else argument
            if name not in template.conditions:
                raise invalid(f"Template error: unresolved condition dependency {name} in Fn::If")
        if condition is not None and condition not in template.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {condition} in the template"
            )
    for reference in references(list(template.conditions.values())):
        if reference.name not in template.parameters and reference.name not in PSEUDO:
            raise invalid(
                f"Template format error: Unresolved dependencies [{reference.name}]. "
                "Cannot reference resources in the Conditions block of the template"
            )


def _check_block(template: Template, schemas: Schemas, value: Json, block: str) -> None:
    found = list(references(value))
    known = template.resources.keys() | template.parameters.keys() | PSEUDO
    _check_names({reference.name for reference in found if reference.attribute is None}, known, block)
    for reference in found:
        if reference.attribute is None:
            continue
        spec = template.resources.get(reference.name)
        if spec is None:
            raise invalid(
                f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}"
            )
        _check_attribute(schemas, spec, reference.attribute)


def _check_names(names: set[str], known: set[str], block: str) -> None:
    unresolved = sorted(names - known)
    if unresolved:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] "
            f"in the {block} block of the template"
        )


def _check_attribute(schemas: Schemas, spec: ResourceSpec, attribute: str) -> None:
    if spec.type == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
        return
    known = schemas.attributes(spec.type)
    if known and attribute not in known and attribute.partition(".")[0] not in known:
        raise invalid(
            f"Template error: resource {spec.logical_id} does not support attribute type {attribute} "
            "in Fn::GetAtt"
        )


def _check_imports(template: Template) -> None:
    everything: list[Json] = [spec.properties for spec in template.resources.values()]
    everything += [output.value for output in template.outputs.values()]
    for name in _arguments_of("Fn::ImportValue", everything):
        if any(reference.name in template.resources for reference in references(name)):
            raise invalid(
                "Template error: the attribute in Fn::ImportValue must not depend on any resources, "
                "imported values, or Fn::GetAZs"
            )


def dependencies(template: Template) -> Mapping[str, frozenset[str]]:
    """Return for each resource the resources that must exist before."""
    found = {}
    for name, spec in template.resources.items():
        found[name] = needed_by(spec) & template.resources.keys()
    return found


def needed_by(spec: ResourceSpec) -> frozenset[str]:
    """Return the names that a resource refers to, of parameters too."""
    return frozenset(reference.name for reference in references(spec.properties)) | frozenset(spec.depends_on)


def order(needs: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return the names so that each comes after what it needs; raises ApiError for a cycle."""
    left, ordered = dict(needs), list[str]()
    while left:
        ready = [name for name, needed in left.items() if not needed & left.keys()]
        if not ready:
            raise invalid(f"Circular dependency between resources: [{', '.join(sorted(_cyclic(left)))}]")
        ordered += ready
        for name in ready:
            del left[name]
    return tuple(ordered)


def _cyclic(left: Mapping[str, frozenset[str]]) -> set[str]:
    """Remove what only waits for the cycle."""
    names = set(left)
    while True:
        needed = {need for name in names for need in left[name]} & names
        if needed == names:
            return names
        names = needed


def capabilities(template: Template) -> tuple[str | None, tuple[str, ...]]:
    """Return the capability that the template needs, and the types that need it."""
    iam = [spec for spec in template.resources.values() if spec.type in _IAM]
    if not iam:
        return None, ()
    named = any(_NAMES.get(spec.type, "\0") in spec.properties for spec in iam)
    types = tuple(dict.fromkeys(spec.type for spec in iam))
    return ("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"), types
