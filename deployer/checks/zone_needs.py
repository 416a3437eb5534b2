"""What the availability zones of a network must offer, from the templates of the environment. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.manifest import Manifest, StackSpec

Template = Mapping[str, Any]
Found = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class InstanceClass:
    """A size of database servers, as RDS offers it by zone."""

    engine: str
    version: str
    """In full (``15.15``), or a major alone."""
    name: str
    """``db.t3.micro``."""


@dataclass(frozen=True)
class Needs:
    """What is put into each zone of a network; zones are counted from 0."""

    region: str
    count: int
    nat: frozenset[int] = frozenset()
    """The zones with a NAT gateway."""
    endpoints: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Service (``com.amazonaws.us-east-1.logs``) -> the zones with an interface endpoint of it."""
    architectures: frozenset[str] = frozenset()
    """Of Fargate tasks: ``X86_64``, ``ARM64``."""
    classes: tuple[InstanceClass, ...] = ()
    wanted: tuple[str, ...] = ()
    """Names or ids that the environment's file gives."""
    subnets: tuple[str, ...] = ()
    """Logical ids of one subnet in each zone."""


def needs_of(manifest: Manifest, spec: StackSpec, parameter: str, wanted: tuple[str, ...]) -> Needs:
    """Return what *manifest* puts into the zones that *parameter* of *spec* names."""
    places = dict(_places(_resources(spec), parameter))
    first = {index: subnet for subnet, index in reversed(places.items())}
    whole = tuple(one for each in manifest.stacks for one in _resources(each).values())
    return Needs(
        region=manifest.region,
        count=len(first),
        nat=frozenset(_nat(_resources(spec), places)),
        endpoints=_endpoints(_resources(spec), places),
        architectures=frozenset(_architectures(whole)),
        classes=tuple(dict.fromkeys(one for each in manifest.stacks for one in _classes(each))),
        wanted=wanted,
        subnets=tuple(first[index] for index in sorted(first)),
    )


def _resources(spec: StackSpec) -> Found:
    found: Found = json.loads(spec.template).get("Resources", {})
    return {name: {"Properties": {}, **one} for name, one in found.items()}


def _places(resources: Found, parameter: str) -> Iterator[tuple[str, int]]:
    """Yield each subnet with the place of its zone in the parameter."""
    for name, one in resources.items():
        chosen = one["Properties"].get("AvailabilityZone")
        picked = chosen.get("Fn::Select") if isinstance(chosen, Mapping) else None
        if one.get("Type") == "AWS::EC2::Subnet" and picked and picked[1] == {"Ref": parameter}:
            yield name, int(picked[0])


def _nat(resources: Found, places: Mapping[str, int]) -> Iterator[int]:
    for one in resources.values():
        subnet = one["Properties"].get("SubnetId", {})
        if one.get("Type") == "AWS::EC2::NatGateway" and subnet.get("Ref") in places:
            yield places[subnet["Ref"]]


def _endpoints(resources: Found, places: Mapping[str, int]) -> Mapping[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for one in resources.values():
        properties = one["Properties"]
        if one.get("Type") == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") == "Interface":
            subnets = (subnet.get("Ref") for subnet in properties.get("SubnetIds", ()))
            found[properties["ServiceName"]] = frozenset(places[name] for name in subnets if name in places)
    return found


def _architectures(resources: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    for one in resources:
        if one.get("Type") == "AWS::ECS::TaskDefinition":
            yield one["Properties"].get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64")


def _classes(spec: StackSpec) -> Iterator[InstanceClass]:
    """Yield the classes of a stack's servers; their engine's version is what its look-up wants."""
    versions = {one.facts["engine"]: one.facts["version"] for one in spec.lookups if "engine" in one.facts}
    for one in _resources(spec).values():
        if one.get("Type") == "AWS::RDS::DBInstance":
            engine, name = one["Properties"].get("Engine", ""), one["Properties"].get("DBInstanceClass", "")
            yield InstanceClass(engine, versions.get(engine, ""), name)
