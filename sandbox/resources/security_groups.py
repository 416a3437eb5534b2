"""Security groups and their rules, inline in the group's properties or as separate resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import interfaces, require
from sandbox.resources.handler import Call, Handler, difference, generated_name
from sandbox.resources.network import labelled, relabel

_ALL_TRAFFIC = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""AWS's default outbound rule, if the template has none."""
_DIRECTIONS: tuple[tuple[str, str, list[Mapping[str, Any]]], ...] = (
    ("SecurityGroupIngress", "ingress", []),
    ("SecurityGroupEgress", "egress", [_ALL_TRAFFIC]),
)


def _create_group(call: Call) -> Provisioned:
    require.vpc(call, call.properties.get("VpcId"))
    name = call.properties.get("GroupName") or generated_name(
        call.request.stack_name, call.request.logical_id, 255
    )
    if name.startswith("sg-"):
        raise _reserved(name)
    given = {
        "GroupName": name,
        "Description": call.properties["GroupDescription"],
        "VpcId": call.properties.get("VpcId"),
    }
    group = call.ask(
        "ec2", "create_security_group", **given, TagSpecifications=labelled(call, "security-group")
    )["GroupId"]
    begun = call.begin(group, GroupId=group, Id=group, VpcId=call.properties.get("VpcId", ""))
    _set_rules(call, group, {})
    return begun


def _reserved(name: str) -> ProvisionError:
    """
    Refuse the prefix ``sg-``, which EC2 reserves for ids (EC2 API Reference, CreateSecurityGroup, GroupName).
    """
    return ProvisionError(
        f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*. "
        "(Service: Ec2, Status Code: 400) (HandlerErrorCode: InvalidRequest)"
    )


def _set_rules(call: Call, group: str, old: Mapping[str, Any]) -> None:
    for name, direction, default in _DIRECTIONS:
        wanted = [permission(rule) for rule in call.properties.get(name) or default]
        there = [permission(rule) for rule in old.get(name) or default]
        gone, fresh = difference(there, wanted), difference(wanted, there)
        if gone:
            call.ask("ec2", f"revoke_security_group_{direction}", GroupId=group, IpPermissions=gone)
        if fresh:
            _authorize(call, direction, group, fresh)


def _authorize(call: Call, direction: str, group: str, permissions: list[dict[str, Any]]) -> Any:
    for each in permissions:
        require.groups(
            call, [pair["GroupId"] for pair in each.get("UserIdGroupPairs", []) if "GroupId" in pair]
        )
    return call.ask("ec2", f"authorize_security_group_{direction}", GroupId=group, IpPermissions=permissions)


def permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return CloudFormation's *rule*, inbound or outbound, as EC2's IpPermission."""
    made: dict[str, Any] = {"IpProtocol": str(rule.get("IpProtocol", "-1"))}
    for port in ("FromPort", "ToPort"):
        if port in rule and made["IpProtocol"] != "-1":
            made[port] = int(rule[port])
    words = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        made["IpRanges"] = [{"CidrIp": rule["CidrIp"], **words}]
    if "CidrIpv6" in rule:
        made["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **words}]
    prefix_list = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    if prefix_list:
        made["PrefixListIds"] = [{"PrefixListId": prefix_list, **words}]
    other = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    if other:
        made["UserIdGroupPairs"] = [{"GroupId": other, **words}]
    return made


def _update_group(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    _set_rules(call, current.physical_id, old)
    relabel(call, current.physical_id)
    return current


def _delete_group(call: Call, current: Provisioned) -> None:
    interfaces.check_unused(call, "security group", current.physical_id)
    call.ask("ec2", "delete_security_group", GroupId=current.physical_id)


def _create_rule(call: Call) -> Provisioned:
    direction = "ingress" if call.request.type.endswith("Ingress") else "egress"
    made = _authorize(call, direction, call.properties["GroupId"], [permission(call.properties)])
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return Provisioned(rule, {"Id": rule})


def _update_rule(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    direction = "ingress" if call.request.type.endswith("Ingress") else "egress"
    group = call.properties["GroupId"]
    permissions = [permission(call.properties)]
    operation = f"update_security_group_rule_descriptions_{direction}"
    call.ask("ec2", operation, GroupId=group, IpPermissions=permissions)
    return current


def _delete_rule(call: Call, current: Provisioned) -> None:
    del current
    direction = "ingress" if call.request.type.endswith("Ingress") else "egress"
    permissions = [permission(call.properties)]
    call.ask(
        "ec2",
        f"revoke_security_group_{direction}",
        GroupId=call.properties["GroupId"],
        IpPermissions=permissions,
    )


HANDLERS: Mapping[str, Handler] = {
    "AWS::EC2::SecurityGroup": Handler(_create_group, _update_group, _delete_group),
    "AWS::EC2::SecurityGroupIngress": Handler(_create_rule, _update_rule, _delete_rule),
    "AWS::EC2::SecurityGroupEgress": Handler(_create_rule, _update_rule, _delete_rule),
}
