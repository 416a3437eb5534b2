"""Provides an existing company VPC: subnets in two zones, gateways, route tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from ipaddress import IPv4Network
from typing import Any

from sandbox.services.services import Services

Subnets = Mapping[str, Sequence[str]]
"""Kind (``public``, ``private``, ``data``) -> ids of subnets."""
KINDS: Mapping[str, int] = {"public": 1, "private": 11, "data": 21}
"""Kind of subnets -> the third number of the first one's address; the second has the next."""
PREFIX = 24
ZONES = 2
CIDR = "10.0.0.0/16"


def make(services: Services, region: str, cidr: str, vpc_id: str, wanted: Subnets) -> Mapping[str, Any]:
    """
    Create the VPC, with the *wanted* ids, if any; return its ids.

    Public subnets lead to an internet gateway, private ones to a NAT gateway, those for data nowhere.

    Raises:
        ValueError: the VPC or a subnet exists already, or the range has no room for the subnets.

    """
    ec2 = services.client("ec2", region)
    _check_new(services, region, [vpc_id, *(one for ids in wanted.values() for one in ids)])
    blocks = _blocks(cidr)
    with _named("vpcs.random_vpc_id", vpc_id):
        made: str = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=made, **{attribute: {"Value": True}})
    found = ec2.describe_availability_zones(Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}])
    zones = [one["ZoneName"] for one in found["AvailabilityZones"]][:ZONES]
    subnets: dict[str, list[str]] = {}
    for kind in KINDS:
        ids = [*wanted.get(kind, ())] or [""] * ZONES
        subnets[kind] = [
            _subnet(ec2, made, block, zone, name)
            for block, zone, name in zip(blocks[kind], zones, ids, strict=False)
        ]
    _routes(ec2, made, subnets)
    return {"vpc_id": made, "vpc_cidr": cidr, **{f"{kind}_subnet_ids": ids for kind, ids in subnets.items()}}


def there(services: Services, region: str) -> Mapping[str, list[str]]:
    """Return the ids of the VPCs in *region*, and of the subnets in them."""
    state = services.backend("ec2", region)
    subnets = sorted(name for zone in state.subnets.values() for name in zone)
    return {"vpcs": sorted(state.vpcs), "subnets": subnets}


def _check_new(services: Services, region: str, ids: Sequence[str]) -> None:
    known = there(services, region)
    if taken := [one for one in ids if one in {*known["vpcs"], *known["subnets"]}]:
        raise ValueError(f"{', '.join(taken)} is there already, in {region}")


def _blocks(cidr: str) -> Mapping[str, list[str]]:
    """Return the ranges of the subnets by their kind; raises ValueError."""
    try:
        whole = IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{cidr} is no range of addresses: {error}") from error
    size = max(PREFIX, whole.prefixlen + 5)  # the data subnets are the 22nd and 23rd
    if size > 28:
        raise ValueError(f"{cidr} has no room for six subnets: give a /23 at the least")
    all_ = list(whole.subnets(new_prefix=size))
    return {kind: [str(one) for one in all_[first : first + ZONES]] for kind, first in KINDS.items()}


def _subnet(ec2: Any, vpc: str, block: str, zone: str, name: str) -> str:
    with _named("subnets.random_subnet_id", name):
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def _routes(ec2: Any, vpc: str, subnets: Mapping[str, list[str]]) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets["public"][0], AllocationId=address)["NatGateway"]
    ways: Mapping[str, Mapping[str, str]] = {
        "public": {"GatewayId": gateway},
        "private": {"NatGatewayId": nat["NatGatewayId"]},
        "data": {},
    }
    tables = []
    for kind, way in ways.items():
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        tables.append(table)
        if way:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
        for one in subnets[kind]:
            ec2.associate_route_table(RouteTableId=table, SubnetId=one)
    region = ec2.meta.region_name
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{region}.s3", RouteTableIds=tables)


@contextmanager
def _named(function: str, name: str) -> Iterator[None]:
    """
    Let moto give the next resource that id; an empty one: a new id. The caller holds the account's lock.
    """
    module, _, attribute = function.partition(".")
    maker = import_module(f"moto.ec2.models.{module}")
    original = getattr(maker, attribute)
    setattr(maker, attribute, (lambda: name) if name else original)
    try:
        yield
    finally:
        setattr(maker, attribute, original)
