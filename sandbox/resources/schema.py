"""
CloudFormation's resource types: the provider schemas that cfn-lint ships, read as data.

Never imports cfnlint: its import loads every rule (a second); one type's schema is a file of some kilobytes,
read on first use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from sandbox.provisioning import Refused
from sandbox.rules import shipped, values

REGION = "us-east-1"
"""The region whose list of types counts; it has every type."""

_CUSTOM = "AWS::CloudFormation::CustomResource"
_ALSO_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "AWS::EC2::VPC": frozenset({"CidrBlock"}),
    "AWS::EC2::Subnet": frozenset({"AvailabilityZone", "CidrBlock", "VpcId", "AvailabilityZoneId"}),
    "AWS::EC2::SecurityGroup": frozenset({"VpcId"}),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": frozenset({"SecurityGroups"}),
    "AWS::RDS::DBParameterGroup": frozenset({"DBParameterGroupName"}),
    "AWS::SNS::Topic": frozenset({"TopicName"}),
    "AWS::SSM::Parameter": frozenset({"Type", "Value"}),
    "AWS::ServiceDiscovery::Service": frozenset({"Name"}),
}
"""Attributes that are properties too, so not read-only (AWS template reference, "Return values")."""


class UnknownTypeError(LookupError):
    """There is no provider schema of the type; the text is the type's name."""


class ProviderSchemas:
    """Facts about resource types by name; fulfils `provisioning.Schemas`. Loads lazily and remembers."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or shipped.schemas()
        self._loaded: dict[str, Mapping[str, Any]] = {}

    def known(self, type: str) -> bool:  # noqa: A002 - CloudFormation's own word
        """Whether CloudFormation has the type (custom resources always are)."""
        return _named(type) in self._types

    def create_only(self, type: str) -> frozenset[str]:  # noqa: A002 - CloudFormation's own word
        """Properties whose change replaces the resource, as dotted paths; none inside list items."""
        return _dotted(self.schema(type).get("createOnlyProperties", ()))

    def conditional_create_only(self, type: str) -> frozenset[str]:  # noqa: A002 - CloudFormation's own word
        """Properties whose change may replace the resource, depending on the values; dotted paths."""
        return _dotted(self.schema(type).get("conditionalCreateOnlyProperties", ()))

    def attributes(self, type: str) -> frozenset[str]:  # noqa: A002 - CloudFormation's own word
        """Names that `Fn::GetAtt` accepts, dotted where nested (`Endpoint.Address`)."""
        return _dotted(self.schema(type).get("readOnlyProperties", ())) | _ALSO_ATTRIBUTES.get(
            type, frozenset()
        )

    def required(self, type: str) -> frozenset[str]:  # noqa: A002 - CloudFormation's own word
        """Top-level properties that must be given."""
        return frozenset(self.schema(type).get("required", ()))

    def identifier(self, type: str) -> tuple[str, ...]:  # noqa: A002 - CloudFormation's own word
        """The properties that identify a resource of the type, in order, as dotted paths."""
        return tuple(_path(pointer) for pointer in self.schema(type).get("primaryIdentifier", ()))

    def tag_property(self, type: str) -> str | None:  # noqa: A002 - CloudFormation's own word
        """Name of the property that holds tags, None where the type carries none."""
        tagging = self.schema(type).get("tagging", {})
        if not tagging.get("taggable", False):
            return None
        return str(tagging.get("tagProperty", "/properties/Tags")).removeprefix("/properties/")

    def kind_of(self, type: str, path: str) -> str:  # noqa: A002 - CloudFormation's own word
        """JSON type (`string`, `array` …) of the property at the dotted *path*; `string` where unsaid."""
        schema = self.schema(type)
        node: Mapping[str, Any] = schema
        for name in path.split("."):
            node = _resolved(node.get("properties", {}).get(name, {}), schema)
        kind = node.get("type", "string")
        return str(kind[0] if isinstance(kind, list) else kind)

    def refused(self, type: str, properties: Mapping[str, Any], region: str) -> tuple[Refused, ...]:  # noqa: A002 - CloudFormation's own word
        """Return the errors of the schema in *region* about *properties*; none for custom resources."""
        if _named(type) == _CUSTOM:
            return ()
        found = _read_if_there(self._folder / "providers" / f"{region}.json").get(type, self._types[type])
        return values.refused(_read(self._folder / "resources" / f"{found}.json"), properties)

    @cached_property
    def _types(self) -> Mapping[str, str]:
        return _read(self._folder / "providers" / f"{REGION}.json")

    def schema(self, type_name: str) -> Mapping[str, Any]:
        """Return the provider schema of a type; raises UnknownTypeError."""
        name = _named(type_name)
        if name not in self._loaded:
            if name not in self._types:
                raise UnknownTypeError(type_name)
            self._loaded[name] = _read(self._folder / "resources" / f"{self._types[name]}.json")
        return self._loaded[name]


@cache
def _read(path: Path) -> Mapping[str, Any]:
    """Return the content of a schema file; each is read once, for all accounts."""
    found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _named(type_name: str) -> str:
    return _CUSTOM if type_name.startswith("Custom::") else type_name


@cache
def _read_if_there(path: Path) -> Mapping[str, Any]:
    return _read(path) if path.exists() else {}


def _path(pointer: str) -> str:
    return pointer.removeprefix("/properties/").replace("/", ".")


def _dotted(pointers: Any) -> frozenset[str]:
    return frozenset(_path(pointer) for pointer in pointers if "*" not in pointer)


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = str(node.get("$ref", ""))
    if not reference.startswith("#/definitions/"):
        return node
    found: Mapping[str, Any] = schema.get("definitions", {}).get(reference.removeprefix("#/definitions/"), {})
    return found
