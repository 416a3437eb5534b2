"""Stack 2: VPC, subnets, gateways, routes (or an existing VPC), security groups, endpoints, flow logs."""

from __future__ import annotations

from typing import NamedTuple

from troposphere import GetAtt, Ref, Select, ec2

from stacks.network import alarms, endpoints, flow_logs, zones
from stacks.parts import security_groups
from stacks.settings import ExistingVpc, Settings
from stacks.wiring import Stack

EVERYWHERE = "0.0.0.0/0"


class Place(NamedTuple):
    """Where everything else goes: ids of a VPC, its subnets (by zone) and the route tables made here."""

    vpc: Ref | str
    public: tuple[Ref | str, ...]
    private: tuple[Ref | str, ...]
    data: tuple[Ref | str, ...]
    inner_route_tables: tuple[Ref, ...] = ()
    """Of private and data subnets; none in an existing VPC."""


def build(settings: Settings) -> Stack:
    """Return the network; it imports nothing, except the key where flow logs are on."""
    stack = Stack(settings, "network", "VPC, subnets, security groups, endpoints")
    existing = settings.network.existing_vpc
    place = _existing(existing) if existing else _new(stack)
    _export_place(stack, place)
    groups = security_groups.add(stack, place.vpc)
    for name, group in groups.items():
        stack.export(f"{name}SecurityGroupId", GetAtt(group, "GroupId"), f"Security group {name}")
    if settings.network.vpc_endpoints:
        endpoints.add(stack, place.vpc, place.private, place.inner_route_tables, groups["Endpoint"])
    if settings.network.flow_logs:
        flow_logs.add(stack, place.vpc)
    return stack


def _existing(vpc: ExistingVpc) -> Place:
    return Place(vpc.vpc_id, vpc.public_subnet_ids, vpc.private_subnet_ids, vpc.data_subnet_ids)


def _new(stack: Stack) -> Place:
    """S1's "VPC Layout" and "Routing", and isolated data subnets where asked for."""
    network = stack.settings.network
    vpc = stack.add(
        ec2.VPC("Vpc", CidrBlock=network.vpc_cidr, EnableDnsSupport=True, EnableDnsHostnames=True), name="vpc"
    )
    places = zones.add(stack)
    public = _subnets(stack, vpc, "Public", network.public_subnet_cidrs, places)
    private = _subnets(stack, vpc, "Private", network.private_subnet_cidrs, places)
    data = _subnets(stack, vpc, "Data", network.data_subnet_cidrs, places) if network.data_subnets else ()
    attachment = _internet(stack, vpc, public)
    gateways = _nat_gateways(stack, public, attachment)
    alarms.add_alarms(stack, gateways)
    inner = [*_private_routes(stack, vpc, private, gateways)]
    if data:
        inner.append(_route_table(stack, vpc, "Data", data))
    return Place(Ref(vpc), _refs(public), _refs(private), _refs(data), _refs(inner))


def _subnets(
    stack: Stack, vpc: ec2.VPC, kind: str, cidrs: tuple[str, str], places: tuple[Select, ...]
) -> tuple[ec2.Subnet, ...]:
    """Two subnets of *kind*, in two availability zones."""
    return tuple(
        stack.add(
            ec2.Subnet(
                f"{kind}Subnet{number}",
                VpcId=Ref(vpc),
                CidrBlock=cidr,
                AvailabilityZone=place,
                MapPublicIpOnLaunch=False,
            ),
            name=f"{kind.lower()}-{number}",
        )
        for number, (cidr, place) in enumerate(zip(cidrs, places, strict=True), start=1)
    )


def _internet(stack: Stack, vpc: ec2.VPC, public: tuple[ec2.Subnet, ...]) -> ec2.VPCGatewayAttachment:
    """Make the internet gateway and the public subnets' way to it."""
    gateway = stack.add(ec2.InternetGateway("InternetGateway"), name="internet")
    attachment = stack.add(
        ec2.VPCGatewayAttachment("InternetAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway))
    )
    table = _route_table(stack, vpc, "Public", public)
    stack.add(
        ec2.Route(
            "PublicRoute",
            RouteTableId=Ref(table),
            DestinationCidrBlock=EVERYWHERE,
            GatewayId=Ref(gateway),
            DependsOn=attachment.title,
        )
    )
    return attachment


def _nat_gateways(
    stack: Stack, public: tuple[ec2.Subnet, ...], attachment: ec2.VPCGatewayAttachment
) -> tuple[ec2.NatGateway, ...]:
    """As many as the settings say, from the first zone on; an address waits until the VPC has its gateway."""
    gateways = []
    for number, subnet in enumerate(public[: stack.settings.network.nat_gateways], start=1):
        address = stack.add(
            ec2.EIP(f"NatAddress{number}", Domain="vpc", DependsOn=attachment.title), name=f"nat-{number}"
        )
        gateway = ec2.NatGateway(
            f"NatGateway{number}", AllocationId=GetAtt(address, "AllocationId"), SubnetId=Ref(subnet)
        )
        gateways.append(stack.add(gateway, name=f"nat-{number}"))
    return tuple(gateways)


def _private_routes(
    stack: Stack, vpc: ec2.VPC, private: tuple[ec2.Subnet, ...], nats: tuple[ec2.NatGateway, ...]
) -> tuple[ec2.RouteTable, ...]:
    """One route table a zone, even with one NAT gateway: adding a second changes a route, moves no subnet."""
    tables = []
    for number, subnet in enumerate(private, start=1):
        table = _route_table(stack, vpc, f"Private{number}", (subnet,))
        tables.append(table)
        if nats:
            nat = nats[min(number, len(nats)) - 1]
            stack.add(
                ec2.Route(
                    f"PrivateRoute{number}",
                    RouteTableId=Ref(table),
                    DestinationCidrBlock=EVERYWHERE,
                    NatGatewayId=Ref(nat),
                )
            )
    return tuple(tables)


def _route_table(stack: Stack, vpc: ec2.VPC, kind: str, subnets: tuple[ec2.Subnet, ...]) -> ec2.RouteTable:
    table = stack.add(ec2.RouteTable(f"{kind}RouteTable", VpcId=Ref(vpc)), name=kind.lower())
    for subnet in subnets:
        stack.add(
            ec2.SubnetRouteTableAssociation(
                f"{subnet.title}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(table)
            )
        )
    return table


def _export_place(stack: Stack, place: Place) -> None:
    """The first two subnets of each kind; a VPC without public (or data) subnets exports none."""
    stack.export("VpcId", place.vpc, "VPC")
    for kind, subnets in (("Public", place.public), ("Private", place.private), ("Data", place.data)):
        for number, subnet in enumerate(subnets[:2], start=1):
            stack.export(f"{kind}Subnet{number}Id", subnet, f"{kind} subnet in availability zone {number}")


def _refs(resources: list[ec2.RouteTable] | tuple[ec2.Subnet, ...]) -> tuple[Ref, ...]:
    return tuple(Ref(resource) for resource in resources)
