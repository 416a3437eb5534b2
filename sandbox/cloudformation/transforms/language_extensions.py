"""
AWS::LanguageExtensions: expands loops and resolves the functions that only it supports.

CloudFormation Template Reference, "AWS::LanguageExtensions transform": Fn::ForEach, Fn::Length,
Fn::ToJsonString, functions in Ref, Fn::GetAtt and Fn::FindInMap (and its DefaultValue), functions in
DeletionPolicy and UpdateReplacePolicy. Each becomes its value in the processed template. References to a
resource or a NoEcho parameter remain, and are resolved when the resource is created.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloudformation.templates.intrinsics import NO_VALUE, Resolver, Unresolvable
from sandbox.cloudformation.templates.template import Template
from sandbox.cloudformation.transforms.failure import failed
from sandbox.cloudformation.transforms.loops import EXTENSIONS, unrolled
from sandbox.errors import ApiError

Json = Any
SECTIONS = ("Conditions", "Resources", "Outputs")
POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_OWN = frozenset({"Fn::Length", "Fn::ToJsonString", "Fn::FindInMap"})
_MOST_LITERAL = frozenset({"Ref", "Fn::GetAtt"})


def extended(document: Mapping[str, Json], values: Mapping[str, Json]) -> dict[str, Json]:
    """Return *document* without the macro's functions; *values* are known parameters' and pseudo ones'."""
    made = dict(document)
    for section in SECTIONS:
        if isinstance(made.get(section), dict):
            loops = _resolver(made, values)
            made[section] = unrolled(made[section], {}, _demanding(loops))
    resolver = _resolver(made, values)
    for section in SECTIONS:
        if section in made:
            made[section] = _simplified(made[section], resolver)
    resources = made.get("Resources")
    if isinstance(resources, dict):
        made["Resources"] = {name: _with_policies(each, resolver) for name, each in resources.items()}
    return made


def _resolver(document: Mapping[str, Json], values: Mapping[str, Json]) -> Resolver:
    template = Template(
        text="",
        mappings=document.get("Mappings", {}),
        conditions=document.get("Conditions", {}),
        transforms=(EXTENSIONS,),
    )
    return Resolver(template, values, Unknown())


class Unknown:
    """The state before anything is created."""

    def ref(self, logical_id: str) -> Json:
        """Return nothing: no resource is known."""
        raise Unresolvable(logical_id)

    def attribute(self, logical_id: str, name: str) -> Json:
        """Return nothing: no resource is known."""
        raise Unresolvable(f"{logical_id}.{name}")

    def exported(self, name: str) -> Json:
        """Return nothing: exports are looked up when a stack is deployed."""
        raise Unresolvable(name)

    def output(self, stack: str, name: str, region: str) -> Json:
        """Return nothing: other stacks are read when a stack is deployed."""
        raise Unresolvable(f"{stack}.{name} in {region}")

    def zones(self, region: str) -> list[str]:
        """Return nothing: zones are looked up when a stack is deployed."""
        raise Unresolvable(region)


def _demanding(resolver: Resolver) -> Callable[[Json], Json]:
    def resolve(value: Json) -> Json:
        try:
            return resolver.resolve(value)
        except Unresolvable as error:
            raise failed(EXTENSIONS, f"Fn::ForEach could not resolve its collection: {error}") from error
        except ApiError as error:
            raise failed(EXTENSIONS, error.message) from error

    return resolve


def _simplified(node: Json, resolver: Resolver) -> Json:
    if isinstance(node, list):
        return [_simplified(each, resolver) for each in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((name, argument),) = node.items()
        if name in _OWN:
            return _value(node, resolver)
        if name in _MOST_LITERAL and not isinstance(argument, str):
            return {name: _value(argument, resolver)}
    return {key: _simplified(inner, resolver) for key, inner in node.items()}


def _value(node: Json, resolver: Resolver) -> Json:
    """Return the value of *node*, or *node* if that is not known yet; raises TransformFailure."""
    try:
        found = resolver.resolve(node)
    except Unresolvable:
        return node
    except ApiError as error:
        raise failed(EXTENSIONS, error.message) from error
    return {"Ref": "AWS::NoValue"} if found is NO_VALUE else found


def _with_policies(resource: Json, resolver: Resolver) -> Json:
    if not isinstance(resource, dict):
        return resource
    given = {key: _value(resource[key], resolver) for key in POLICIES if isinstance(resource.get(key), dict)}
    for key, value in given.items():
        if not isinstance(value, str):
            raise failed(EXTENSIONS, f"Unsupported expression for {key} in resource attributes")
    return {**resource, **given}
