"""A VPC as a company has one: facts for the pure rules, and the same made on a sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deployer.checks.facts import (
    Certificate,
    Dns,
    Endpoint,
    Facts,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    Zone,
)
from generator.manifest import Existing, ExistingSubnets

NOW = datetime(2026, 11, 21, tzinfo=UTC)
REGION = "us-east-1"
ARN = f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
PUBLIC, PRIVATE, DATA = (f"network.existing_vpc.{kind}_subnet_ids" for kind in ("public", "private", "data"))
OURS = {"ManagedBy": "gatestack", "Environment": "dev", "System": "litellm"}


def wanted(**changes: Any) -> Existing:
    """The requirements of an environment in a VPC of that kind."""
    balancer = {"load balancer": (8, 8)}
    inside = {"tasks": (5, 5), "functions": (1, 1), "endpoints": (4, 0)}
    made = Existing(
        vpc_id="vpc-1",
        vpc_cidr="10.0.0.0/16",
        subnets=(
            ExistingSubnets(PUBLIC, ("subnet-a", "subnet-b"), "internet", balancer),
            ExistingSubnets(PRIVATE, ("subnet-c", "subnet-d"), "any", inside),
            ExistingSubnets(DATA, ("subnet-e", "subnet-f"), "none", {"database": (1, 1)}),
        ),
        endpoints=("ecr.api", "logs"),
        certificate_arn=ARN,
        domain="llm.example.com",
        hosted_zone_id="Z1",
    )
    return replace(made, **changes)


def kind(key: str, **changes: Any) -> Existing:
    """The same, with another requirement on one kind of subnets."""
    kinds = (replace(one, **changes) if one.key == key else one for one in wanted().subnets)
    return wanted(subnets=tuple(kinds))


def facts(**changes: Any) -> Facts:
    """A VPC without problems."""
    zones = ("us-east-1a", "us-east-1b")
    subnets = (
        Subnet(f"subnet-{letter}", "vpc-1", zones[index % 2], f"10.0.{index}.0/24", free=200)
        for index, letter in enumerate("abcdef")
    )
    tables = (
        RouteTable("rtb-main", main=True),
        table("rtb-public", "ab", Route("0.0.0.0/0", "igw-1")),
        table("rtb-private", "cd", Route("0.0.0.0/0", "nat-1")),
    )
    made = Facts(
        REGION,
        vpc=Vpc("vpc-1", "available", ("10.0.0.0/16",)),
        dns=Dns(support=True, hostnames=True),
        subnets=tuple(subnets),
        tables=tables,
        endpoints=(Endpoint("vpce-s3", "com.amazonaws.us-east-1.s3", "Gateway", tables=("rtb-private",)),),
        certificate=Certificate("ISSUED", ("*.example.com",), "RSA_2048", NOW + timedelta(days=90)),
        zone=Zone("example.com"),
    )
    return replace(made, **changes)


def table(table_id: str, letters: str, *routes: Route) -> RouteTable:
    """A route table of the subnets with those letters."""
    return RouteTable(table_id, subnets=tuple(f"subnet-{one}" for one in letters), routes=routes)


def routed(*tables: RouteTable) -> Facts:
    """The same VPC, with *tables* instead of those of the subnets that they name."""
    named = {subnet for one in tables for subnet in one.subnets}
    rest = (
        replace(one, subnets=tuple(subnet for subnet in one.subnets if subnet not in named))
        for one in facts().tables
    )
    return facts(tables=(*tables, *rest))


def subnet(subnet_id: str, **changes: Any) -> Facts:
    """The same VPC, with one different subnet."""
    found = facts().subnets
    return facts(subnets=tuple(replace(one, **changes) if one.id == subnet_id else one for one in found))


@dataclass(frozen=True)
class Company:
    """Ids of a VPC on a sandbox."""

    vpc: str
    public: tuple[str, str]
    private: tuple[str, str]
    data: tuple[str, str]
    private_table: str

    def file(self, name: str, **more: str) -> str:
        """An environment file that uses it; *more*: YAML by kind of subnet, by key of `network`, or `alb`."""
        kinds = {"public": self.public, "private": self.private, "data": self.data}
        ids = {one: more.pop(one, f"[{', '.join(subnets)}]") for one, subnets in kinds.items()}
        vpc = _flow({"vpc_id": self.vpc, **{f"{one}_subnet_ids": text for one, text in ids.items()}})
        alb = f"alb: {more.pop('alb')}\n" if "alb" in more else ""
        keys = {"vpc_cidr": "10.9.0.0/16", "data_subnets": "true", "existing_vpc": vpc, **more}
        return f"system: litellm\nenvironment: {name}\n{alb}network: {_flow(keys)}\n"


def _flow(entries: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {text}" for key, text in entries.items()) + "}"


def company(ec2: Any) -> Company:
    """Make a VPC with six subnets, an internet gateway, a NAT gateway and S3's endpoint."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    public, private, data = (_pair(ec2, vpc, first) for first in (1, 11, 21))
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=internet)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    _table(ec2, vpc, public, GatewayId=internet)
    inner = _table(ec2, vpc, private, NatGatewayId=nat)
    s3 = {"ServiceName": f"com.amazonaws.{REGION}.s3", "VpcEndpointType": "Gateway"}
    ec2.create_vpc_endpoint(VpcId=vpc, RouteTableIds=[inner], **s3)
    return Company(vpc, public, private, data, inner)


def _pair(ec2: Any, vpc: str, first: int) -> tuple[str, str]:
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in ((first, "a"), (first + 1, "b"))
    ]
    return made[0]["Subnet"]["SubnetId"], made[1]["Subnet"]["SubnetId"]


def _table(ec2: Any, vpc: str, subnets: Iterable[str], **target: str) -> str:
    made = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", **target)
    for one in subnets:
        ec2.associate_route_table(RouteTableId=made, SubnetId=one)
    return made
