"""
The five security groups and S1's table of allowed traffic, inbound and outbound; a sixth for a cache.

One row is not S1's: the rotation of the master key connects to the tasks, to pass the old key to a running
proxy. This way the key never leaves the VPC.

A rule that names another group is a resource of its own, so that no group waits for another. Descriptions are
part of a group's identity (a new one replaces the group): do not reword them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troposphere import GetAtt, Ref
from troposphere.ec2 import SecurityGroup, SecurityGroupEgress, SecurityGroupIngress, SecurityGroupRule

from stacks.settings import Settings
from stacks.wiring import Stack

HTTP, HTTPS, POSTGRES, REDIS = 80, 443, 5432, 6379
EVERYWHERE = "0.0.0.0/0"

NOWHERE = SecurityGroupRule(
    IpProtocol="icmp", FromPort=252, ToPort=86, CidrIp="255.255.255.255/32", Description="Matches nothing"
)
"""
The outbound rule of a group that has none, or has only rules of their own.

Source: CloudFormation Template Reference, "AWS::EC2::SecurityGroup": without SecurityGroupEgress the group
keeps EC2's default, which allows everything.
"""


def add(stack: Stack, vpc: Ref | str) -> Mapping[str, SecurityGroup]:
    """Add the groups and their rules; return the groups by S1's name."""
    settings = stack.settings
    clients = settings.alb.allowed_cidrs
    entries = (HTTP, HTTPS) if settings.alb.https else (HTTP,)
    groups = {
        "Alb": _group(
            stack,
            vpc,
            "Alb",
            "Load balancer",
            inbound=[*(_tcp(port, to) for port in entries for to in clients), *_testers(settings)],
            outbound=[_tcp(HTTPS, EVERYWHERE)] if settings.alb.oidc else None,
        ),
        "Ecs": _group(stack, vpc, "Ecs", "Tasks", outbound=[_tcp(HTTPS, EVERYWHERE), *_stores(settings)]),
        "Endpoint": _group(
            stack,
            vpc,
            "Endpoint",
            "Endpoints of AWS services",
            inbound=[_tcp(HTTPS, settings.network.vpc_cidr)],
        ),
    }
    _connect(stack, groups, "Alb", "Ecs", settings.service.port)
    if settings.database.exists:
        groups["Rds"] = _group(stack, vpc, "Rds", "Database")
        _connect(stack, groups, "Ecs", "Rds", POSTGRES)
    if settings.database.exists or stack.application.rotation:
        groups["Lambda"] = _group(
            stack, vpc, "Lambda", "Rotation functions", outbound=[_tcp(HTTPS, EVERYWHERE)]
        )
    if settings.database.exists:
        _connect(stack, groups, "Lambda", "Rds", POSTGRES)
    if stack.application.rotation:
        _connect(stack, groups, "Lambda", "Ecs", settings.service.port)
    if settings.cache.exists:
        groups["Redis"] = _group(stack, vpc, "Redis", "Cache")
        _connect(stack, groups, "Ecs", "Redis", REDIS)
    return groups


def _group(
    stack: Stack,
    vpc: Ref | str,
    name: str,
    description: str,
    *,
    inbound: list[SecurityGroupRule] | None = None,
    outbound: list[SecurityGroupRule] | None = None,
) -> SecurityGroup:
    rules: dict[str, Any] = {"SecurityGroupEgress": outbound or [NOWHERE]}
    if inbound:
        rules["SecurityGroupIngress"] = inbound
    group = SecurityGroup(f"{name}SecurityGroup", GroupDescription=description, VpcId=vpc, **rules)
    return stack.add(group, name=name.lower())


def _stores(settings: Settings) -> list[SecurityGroupRule]:
    """Return the rules for an existing database and cache; their own groups belong to their owner."""
    there = settings.existing_stores.values()
    return [_tcp(one.port, one.cidr or settings.network.vpc_cidr) for one in there]


def _testers(settings: Settings) -> list[SecurityGroupRule]:
    """Return who reaches the test listener, if the deployment strategy has one."""
    if not settings.service.shifts_traffic:
        return []
    return [
        _tcp(settings.alb.test_port, to) for to in settings.alb.test_cidrs or (settings.network.vpc_cidr,)
    ]


def _tcp(port: int, cidr: str) -> SecurityGroupRule:
    return SecurityGroupRule(
        IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp=cidr, Description=f"TCP {port}"
    )


def _connect(stack: Stack, groups: Mapping[str, SecurityGroup], source: str, target: str, port: int) -> None:
    """Let *source* reach *target* on *port*: one rule at each end."""
    end = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": f"{source} to {target}"}
    source_id, target_id = GetAtt(groups[source], "GroupId"), GetAtt(groups[target], "GroupId")
    title = f"{source}To{target}"
    stack.add(
        SecurityGroupEgress(f"{title}Egress", GroupId=source_id, DestinationSecurityGroupId=target_id, **end)
    )
    stack.add(
        SecurityGroupIngress(f"{title}Ingress", GroupId=target_id, SourceSecurityGroupId=source_id, **end)
    )
