"""The content of a diagram as data: subnets, the resources in them, gateways, and what is outside the VPC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["load balancer", "service", "task", "function", "database", "cache", "endpoint", "NAT gateway"]
WayOut = Literal["internet", "NAT", "none", "unknown"]
Way = Literal["endpoint", "gateway", "none", "beside"]
"""How a service is reached from the VPC; ``beside``: nothing in the VPC calls it."""


@dataclass(frozen=True)
class Subnet:
    """One subnet, or the id of an existing one."""

    key: str
    """``network/PublicSubnet1`` or ``subnet-…``."""
    name: str
    cidr: str
    """Empty: not known from the templates."""
    zone: int
    """Its availability zone's place among the region's, from 1; of an existing one, its place in the list."""
    way_out: WayOut
    """Where its default route leads."""
    stack: str = ""
    """Empty: no stack makes it."""


@dataclass(frozen=True)
class Thing:
    """A card in the VPC."""

    kind: Kind
    stack: str
    logical_id: str
    title: str
    details: tuple[str, ...]
    subnets: tuple[str, ...]
    """Keys of the subnets that it is in or may be in; none: the VPC's route tables lead to it."""
    entrance: bool = False
    """Whether the load balancer leads to it."""

    @property
    def key(self) -> str:
        """Its name in the environment: ``alb/LoadBalancer``."""
        return f"{self.stack}/{self.logical_id}"


def counted(count: int, noun: str) -> str:
    """Return a number of things: ``1 repository``, ``2 repositories``."""
    many = f"{noun.removesuffix('y')}ies" if noun.endswith("y") and noun != "key" else f"{noun}s"
    return f"{count} {noun if count == 1 else many}"


@dataclass(frozen=True)
class Holding:
    """A stack's resources of one kind in a service of AWS's outside the VPC."""

    stack: str
    count: int
    noun: str
    """``secret``."""


@dataclass(frozen=True)
class Service:
    """A service of AWS's outside the VPC."""

    title: str
    way: Way
    callers: tuple[str, ...]
    """``tasks``, ``functions``; none: only AWS itself uses it for them."""
    holdings: tuple[Holding, ...] = ()
    ends: tuple[str, ...] = ()
    """Keys of its endpoints in the VPC."""
    by_route_table: bool = False
    """Whether its endpoint is in no subnet: route tables lead to it."""
    asked_for: tuple[str, ...] = ()
    """What of it may be used without being a resource of a stack: models."""

    @property
    def held(self) -> str:
        """The stacks' resources in it together: ``9 alarms, 1 dashboard``; else what may be used of it."""
        if not self.holdings:
            return ", ".join(self.asked_for)
        counts = Counter[str]()
        for one in self.holdings:
            counts[one.noun] += one.count
        return ", ".join(counted(count, noun) for noun, count in counts.items())


@dataclass(frozen=True)
class Landscape:
    """An environment, ready to be drawn."""

    name: str
    """``prod-litellm``."""
    system: str
    region: str
    production: bool
    stacks: tuple[str, ...]
    vpc: str
    """``VPC 10.0.0.0/16``, or the id of an existing one."""
    vpc_stack: str
    """Empty: it belongs to no stack."""
    subnets: tuple[Subnet, ...]
    things: tuple[Thing, ...]
    gateway: str
    """``Internet gateway``, or the route out of an existing VPC as text; empty: there is none."""
    gateway_stack: str
    internal: bool
    """Whether the load balancer has no address on the internet."""
    internet: tuple[str, ...]
    """What is called on the internet, as far as templates tell."""
    services: tuple[Service, ...]
    patches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Stack -> its patched resources, each with where and why; stacks without are left out."""
