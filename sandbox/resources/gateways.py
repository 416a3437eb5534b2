"""Gateways of a network: internet and NAT gateways, elastic addresses, VPC endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources import interfaces, require
from sandbox.resources.handler import Call, Handler, difference, unchanged
from sandbox.resources.network import labelled, relabel, retagged


def _create_internet(call: Call) -> Provisioned:
    tags = labelled(call, "internet-gateway")
    made = call.ask("ec2", "create_internet_gateway", TagSpecifications=tags)["InternetGateway"][
        "InternetGatewayId"
    ]
    return Provisioned(made, {"InternetGatewayId": made})


def _delete_internet(call: Call, current: Provisioned) -> None:
    call.ask("ec2", "delete_internet_gateway", InternetGatewayId=current.physical_id)


def _attach(call: Call) -> Provisioned:
    require.vpc(call, call.properties["VpcId"])
    call.apply("ec2", "attach_internet_gateway")
    return Provisioned(f"IGW|{call.properties['VpcId']}", {"AttachmentType": "IGW"})


def _detach(call: Call, current: Provisioned) -> None:
    """Refuse while a public address of the VPC uses it (EC2 API Reference, DetachInternetGateway)."""
    del current
    vpc = call.properties["VpcId"]
    if any(each.eni.subnet.vpc_id == vpc for each in _mapped(call)):
        raise interfaces.in_use(
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before"
            " detaching the gateway."
        )
    call.apply("ec2", "detach_internet_gateway")


def _mapped(call: Call) -> list[Any]:
    """Return moto's addresses of an interface; a deleted interface releases its address."""
    state = call.services.backend("ec2", call.request.region)
    return [each for each in state.addresses if each.eni is not None and each.eni.id in state.enis]


def _create_address(call: Call) -> Provisioned:
    tags = labelled(call, "elastic-ip")
    made = call.ask("ec2", "allocate_address", Domain="vpc", TagSpecifications=tags)
    return Provisioned(made["PublicIp"], {"PublicIp": made["PublicIp"], "AllocationId": made["AllocationId"]})


def _update_address(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    relabel(call, current.attributes["AllocationId"])
    return current


def _delete_address(call: Call, current: Provisioned) -> None:
    """Refuse while it is in use (EC2 API Reference, ReleaseAddress, error InvalidIPAddress.InUse)."""
    if any(each.public_ip == current.physical_id for each in _mapped(call)):
        raise interfaces.in_use(f"Address {current.physical_id} is in use.")
    call.ask("ec2", "release_address", AllocationId=current.attributes["AllocationId"])


def _create_nat(call: Call) -> Provisioned:
    made = call.apply("ec2", "create_nat_gateway", TagSpecifications=labelled(call, "natgateway"))[
        "NatGateway"
    ]
    gateway = call.services.backend("ec2", call.request.region).nat_gateways[made["NatGatewayId"]]
    call.becomes(gateway, "state", "pending", "available")
    return Provisioned(made["NatGatewayId"], {"NatGatewayId": made["NatGatewayId"]})


def _delete_nat(call: Call, current: Provisioned) -> None:
    found = call.ask("ec2", "describe_nat_gateways", NatGatewayIds=[current.physical_id])["NatGateways"]
    call.ask("ec2", "delete_nat_gateway", NatGatewayId=current.physical_id)
    for address in (each for gateway in found for each in gateway["NatGatewayAddresses"]):
        call.ask("ec2", "delete_network_interface", NetworkInterfaceId=address["NetworkInterfaceId"])


def _create_endpoint(call: Call) -> Provisioned:
    """Create it; the default type is a gateway (CloudFormation Template Reference, AWS::EC2::VPCEndpoint)."""
    require.vpc(call, call.properties["VpcId"])
    require.subnets(call, call.properties.get("SubnetIds", []))
    require.groups(call, call.properties.get("SecurityGroupIds", []))
    tags = labelled(call, "vpc-endpoint")
    kind = call.properties.get("VpcEndpointType", "Gateway")
    made = call.apply("ec2", "create_vpc_endpoint", TagSpecifications=tags, VpcEndpointType=kind)[
        "VpcEndpoint"
    ]
    if kind == "Interface":
        endpoint = call.services.backend("ec2", call.request.region).vpc_end_points[made["VpcEndpointId"]]
        call.becomes(endpoint, "state", "pending", "available")
    return Provisioned(made["VpcEndpointId"], _endpoint_attributes(made))


def _endpoint_attributes(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    entries = [f"{each['HostedZoneId']}:{each['DnsName']}" for each in endpoint.get("DnsEntries", [])]
    faces = list(endpoint.get("NetworkInterfaceIds", []))
    return {"Id": endpoint["VpcEndpointId"], "DnsEntries": entries, "NetworkInterfaceIds": faces}


_MEMBERS = {"SubnetIds": "Subnet", "RouteTableIds": "RouteTable", "SecurityGroupIds": "SecurityGroup"}


def _update_endpoint(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    changes: dict[str, Any] = {}
    for name, word in _MEMBERS.items():
        new, before = call.properties.get(name, []), old.get(name, [])
        changes[f"Add{word}Ids"] = difference(new, before) or None
        changes[f"Remove{word}Ids"] = difference(before, new) or None
    if call.changed(old, "PolicyDocument"):
        changes["PolicyDocument"] = call.properties.get("PolicyDocument")
    if any(changes.values()):
        call.ask("ec2", "modify_vpc_endpoint", VpcEndpointId=current.physical_id, **changes)
    relabel(call, current.physical_id)
    return current


def _delete_endpoint(call: Call, current: Provisioned) -> None:
    call.ask("ec2", "delete_vpc_endpoints", VpcEndpointIds=[current.physical_id])


HANDLERS: Mapping[str, Handler] = {
    "AWS::EC2::InternetGateway": Handler(_create_internet, retagged, _delete_internet),
    "AWS::EC2::VPCGatewayAttachment": Handler(_attach, unchanged, _detach),
    "AWS::EC2::EIP": Handler(_create_address, _update_address, _delete_address),
    "AWS::EC2::NatGateway": Handler(_create_nat, retagged, _delete_nat),
    "AWS::EC2::VPCEndpoint": Handler(_create_endpoint, _update_endpoint, _delete_endpoint),
}
