"""Networks: VPCs, subnets, route tables and routes, and flow logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import interfaces, require
from sandbox.resources.handler import Call, Handler, unchanged


def labelled(call: Call, kind: str) -> list[dict[str, Any]]:
    """Return EC2's tag specification of a new *kind* with the call's tags; empty without tags."""
    return [{"ResourceType": kind, "Tags": call.tags}] if call.tags else []


def relabel(call: Call, resource_id: str) -> None:
    """Set the tags of the EC2 resource to the call's."""
    gone = [{"Key": key} for key in call.previous_tags if key not in call.tags]
    if gone:
        call.ask("ec2", "delete_tags", Resources=[resource_id], Tags=gone)
    if call.tags and call.tags != call.previous_tags:
        call.ask("ec2", "create_tags", Resources=[resource_id], Tags=call.tags)


def retagged(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Update an EC2 resource of which only the tags can change."""
    del old
    relabel(call, current.physical_id)
    return current


def _create_vpc(call: Call) -> Provisioned:
    made = call.apply("ec2", "create_vpc", TagSpecifications=labelled(call, "vpc"))["Vpc"]
    vpc_id = made["VpcId"]
    call.begin(vpc_id)
    _set_vpc(call, vpc_id)
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    groups = call.ask("ec2", "describe_security_groups", Filters=of_vpc)["SecurityGroups"]
    acls = call.ask("ec2", "describe_network_acls", Filters=of_vpc)["NetworkAcls"]
    facts = {
        "VpcId": vpc_id,
        "CidrBlock": made["CidrBlock"],
        "CidrBlockAssociations": [each["AssociationId"] for each in made.get("CidrBlockAssociationSet", [])],
        "DefaultSecurityGroup": groups[0]["GroupId"],
        "DefaultNetworkAcl": acls[0]["NetworkAclId"],
        "Ipv6CidrBlocks": [],
    }
    return Provisioned(vpc_id, facts)


def _set_vpc(call: Call, vpc_id: str) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        wanted = call.properties.get(name, name == "EnableDnsSupport")
        call.ask("ec2", "modify_vpc_attribute", VpcId=vpc_id, **{name: {"Value": wanted}})


def _update_vpc(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "EnableDnsSupport", "EnableDnsHostnames"):
        _set_vpc(call, current.physical_id)
    relabel(call, current.physical_id)
    return current


def _delete_vpc(call: Call, current: Provisioned) -> None:
    """Refuse while a gateway, group, endpoint or interface is in it (EC2 API Reference, DeleteVpc)."""
    vpc = current.physical_id
    state = call.services.backend("ec2", call.request.region)
    groups = [each for each in state.groups.get(vpc, {}).values() if each.name != "default"]
    gateways = [each for each in state.internet_gateways.values() if each.vpc and each.vpc.id == vpc]
    endpoints = [
        each for each in state.vpc_end_points.values() if each.vpc_id == vpc and each.state != "deleted"
    ]
    faces = [each for each in state.enis.values() if each.subnet.vpc_id == vpc]
    if groups or gateways or endpoints or faces:
        raise interfaces.in_use(f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    call.ask("ec2", "delete_vpc", VpcId=current.physical_id)


def _create_subnet(call: Call) -> Provisioned:
    require.vpc(call, call.properties.get("VpcId"))
    made = call.apply("ec2", "create_subnet", TagSpecifications=labelled(call, "subnet"))["Subnet"]
    subnet = made["SubnetId"]
    if "MapPublicIpOnLaunch" in call.properties:
        _set_public(call, subnet)
    names = ("SubnetId", "VpcId", "AvailabilityZone", "AvailabilityZoneId", "CidrBlock")
    return Provisioned(subnet, {name: made.get(name, "") for name in names} | {"Ipv6CidrBlocks": []})


def _set_public(call: Call, subnet: str) -> None:
    public = {"Value": call.properties.get("MapPublicIpOnLaunch", False)}
    call.ask("ec2", "modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch=public)


def _update_subnet(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "MapPublicIpOnLaunch"):
        _set_public(call, current.physical_id)
    relabel(call, current.physical_id)
    return current


def _delete_subnet(call: Call, current: Provisioned) -> None:
    interfaces.check_unused(call, "subnet", current.physical_id)
    call.ask("ec2", "delete_subnet", SubnetId=current.physical_id)


def _create_table(call: Call) -> Provisioned:
    require.vpc(call, call.properties.get("VpcId"))
    made = call.apply("ec2", "create_route_table", TagSpecifications=labelled(call, "route-table"))[
        "RouteTable"
    ]
    return Provisioned(made["RouteTableId"], {"RouteTableId": made["RouteTableId"]})


def _delete_table(call: Call, current: Provisioned) -> None:
    call.ask("ec2", "delete_route_table", RouteTableId=current.physical_id)


_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(call: Call) -> dict[str, str]:
    return {name: call.properties[name] for name in _DESTINATIONS if name in call.properties}


def _create_route(call: Call) -> Provisioned:
    _check_attached(call, str(call.properties.get("GatewayId", "")))
    call.apply("ec2", "create_route")
    block = next(iter(_destination(call).values()))
    return Provisioned(f"{call.properties['RouteTableId']}|{block}", {"CidrBlock": block})


def _check_attached(call: Call, gateway: str) -> None:
    """
    Refuse a route to an internet gateway that is not attached to the table's VPC; raises ProvisionError.

    Only a DependsOn waits for the attachment (CloudFormation Template Reference, DependsOn attribute, "When a
    DependsOn attribute is required"); the message is as observed from EC2.
    """
    state = call.services.backend("ec2", call.request.region)
    found = state.internet_gateways.get(gateway)
    table = state.route_tables.get(call.properties["RouteTableId"])
    if found and table and (found.vpc is None or found.vpc.id != table.vpc_id):
        raise ProvisionError(
            f'Resource handler returned message: "route table {table.id} and network gateway {gateway} belong'
            ' to different networks (Service: Ec2, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
        )


def _update_route(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _check_attached(call, str(call.properties.get("GatewayId", "")))
    call.apply("ec2", "replace_route")
    return current


def _delete_route(call: Call, current: Provisioned) -> None:
    del current
    call.ask("ec2", "delete_route", RouteTableId=call.properties["RouteTableId"], **_destination(call))


def _associate(call: Call) -> Provisioned:
    made = call.apply("ec2", "associate_route_table")["AssociationId"]
    return Provisioned(made, {"Id": made})


def _disassociate(call: Call, current: Provisioned) -> None:
    call.ask("ec2", "disassociate_route_table", AssociationId=current.physical_id)


def _create_flow_log(call: Call) -> Provisioned:
    ids = [call.properties["ResourceId"]]
    answer = call.apply(
        "ec2", "create_flow_logs", ResourceIds=ids, TagSpecifications=labelled(call, "vpc-flow-log")
    )
    if answer.get("Unsuccessful"):
        raise ValueError(answer["Unsuccessful"][0]["Error"]["Message"])
    return Provisioned(answer["FlowLogIds"][0], {"Id": answer["FlowLogIds"][0]})


def _delete_flow_log(call: Call, current: Provisioned) -> None:
    call.ask("ec2", "delete_flow_logs", FlowLogIds=[current.physical_id])


HANDLERS: Mapping[str, Handler] = {
    "AWS::EC2::VPC": Handler(_create_vpc, _update_vpc, _delete_vpc),
    "AWS::EC2::Subnet": Handler(_create_subnet, _update_subnet, _delete_subnet),
    "AWS::EC2::RouteTable": Handler(_create_table, retagged, _delete_table),
    "AWS::EC2::Route": Handler(_create_route, _update_route, _delete_route),
    "AWS::EC2::SubnetRouteTableAssociation": Handler(_associate, unchanged, _disassociate),
    "AWS::EC2::FlowLog": Handler(_create_flow_log, retagged, _delete_flow_log),
}
