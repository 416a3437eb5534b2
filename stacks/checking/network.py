"""Consistency of the network's keys: subnets, gateways, an existing VPC. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from stacks.beside import from_outside
from stacks.calls.reach import AWS_PROVIDERS, reach_findings
from stacks.checking import limits, subnets, zones
from stacks.checking.problems import Finding
from stacks.settings import ExistingVpc, Settings

USED = 2
"""Subnets of each kind, as S1 has them: one in each of two availability zones."""


def network_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `network`, and between them and others."""
    yield from _zones(settings)
    if settings.network.existing_vpc:
        yield from _existing(settings.network.existing_vpc, settings)
    else:
        yield from _ranges(settings)
        yield from _no_nat(settings)
        yield from reach_findings(settings)


def _zones(settings: Settings) -> Iterator[Finding]:
    """Validate the zones; whether the account has them is checked on deployment."""
    key, region = "network.availability_zones", settings.region
    wanted: tuple[str, ...] = settings.network.availability_zones or ()
    if wanted and settings.network.existing_vpc:
        message = "the subnets of network.existing_vpc are where they are; remove it"
        yield Finding(key, message, ("network.existing_vpc",))
        return
    if len(set(wanted)) < len(wanted):
        yield Finding(key, f"{wanted[0]} stands twice; name two different zones")
    for index, zone in enumerate(wanted):
        if not zones.belongs(zone, region):
            example = f"like {region}a, or an id like {zones.abbreviated(region)}-az1"
            yield Finding(
                key, f"{zone} is not a zone of {region}; write one {example}", ("region",), below=(index,)
            )


def _ranges(settings: Settings) -> Iterator[Finding]:
    vpc = IPv4Network(settings.network.vpc_cidr)
    ranges = [
        (f"network.{key}", IPv4Network(cidr))
        for key in subnets.used(dict(settings.network))
        for cidr in getattr(settings.network, key)
    ]
    for key, subnet in ranges:
        if not subnet.subnet_of(vpc):
            yield Finding(key, f"{subnet} is not inside the VPC's {vpc}", ("network.vpc_cidr",))
    for (one, first), (other, second) in combinations(ranges, 2):
        if first.overlaps(second):
            yield Finding(
                other,
                f"{second} overlaps {first} of {one}",
                (one, "network.data_subnets"),
            )
    place = "network.private_subnet_cidrs" if settings.alb.internal else "network.public_subnet_cidrs"
    for key, subnet in ranges:
        if key == place and subnet.prefixlen > limits.SMALLEST_ALB_SUBNET:
            message = f"{subnet} is too small for a load balancer; /{limits.SMALLEST_ALB_SUBNET} or larger"
            yield Finding(key, message, ("alb.internal",))


def _no_nat(settings: Settings) -> Iterator[Finding]:
    if settings.network.nat_gateways:
        return
    missing = []
    outside = [provider for provider in settings.service.providers if provider not in AWS_PROVIDERS]
    if outside:
        missing.append(
            f"service.providers: [bedrock] ({', '.join(outside)} can be reached over the internet only)"
        )
    if settings.service.image != "ecr":
        missing.append("service.image: ecr (other registries are in the internet)")
    if outside_images := from_outside(settings):
        missing.append(
            "service.sidecars with images in private repositories of this region's ECR "
            f"({', '.join(outside_images)}: in the internet)"
        )
    if not settings.network.vpc_endpoints:
        missing.append("network.vpc_endpoints: true")
    if missing:
        message = f"without a NAT gateway this needs {', and '.join(missing)}; or write 1 or 2"
        also = ("service.providers", "service.image", "service.sidecars", "network.vpc_endpoints")
        yield Finding("network.nat_gateways", message, also)


def _existing(vpc: ExistingVpc, settings: Settings) -> Iterator[Finding]:
    key = "network.existing_vpc"
    needed = {"private_subnet_ids": True, "public_subnet_ids": not settings.alb.internal}
    needed["data_subnet_ids"] = settings.network.data_subnets
    seen: dict[str, str] = {}
    for name, is_needed in needed.items():
        ids: tuple[str, ...] = getattr(vpc, name)
        if is_needed and len(ids) < USED:
            why = {"public_subnet_ids": "; none with alb.internal: true"}.get(name, "")
            message = f"needs two subnets in different availability zones, has {len(ids)}{why}"
            yield Finding(f"{key}.{name}", message, ("alb.internal", "network.data_subnets"))
        if len(ids) > USED:
            message = f"has {len(ids)} subnets, and {USED} are used; name those"
            yield Finding(f"{key}.{name}", message)
        for index, subnet in enumerate(ids):
            if subnet in seen:
                message = f"{subnet} stands under {seen[subnet]} already; name another"
                yield Finding(f"{key}.{name}", message, below=(index,))
            seen.setdefault(subnet, name)
