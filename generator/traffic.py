"""
Allowed traffic: an environment's security groups, the resources that use them, and their rules. Pure.

Read from the rendered templates, by references and never by names. Makes no judgement; `generator.diagram`
and `generator.picture` show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generator.manifest import Manifest
from generator.references import References, Resource, Target

Role = Literal["load balancer", "service", "task", "function", "database", "cache", "endpoint"]

WEARERS: Mapping[str, tuple[Role, tuple[str, ...]]] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("load balancer", ("SecurityGroups",)),
    "AWS::ECS::Service": ("service", ("NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups")),
    "AWS::Lambda::Function": ("function", ("VpcConfig", "SecurityGroupIds")),
    "AWS::RDS::DBCluster": ("database", ("VpcSecurityGroupIds",)),
    "AWS::RDS::DBInstance": ("database", ("VPCSecurityGroups",)),
    "AWS::ElastiCache::ReplicationGroup": ("cache", ("SecurityGroupIds",)),
    "AWS::EC2::VPCEndpoint": ("endpoint", ("SecurityGroupIds",)),
}
"""Resource type -> its role here, and the property with its groups (CloudFormation Template Reference)."""

ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})
NOWHERE = frozenset({"255.255.255.255/32"})
"""The broadcast address, which no packet of a VPC is sent to (Amazon VPC User Guide, "Broadcast")."""

PROTOCOLS = {"-1": "all", "1": "ICMP", "6": "TCP", "17": "UDP", "58": "ICMPv6"}
"""IANA's numbers, as AWS::EC2::SecurityGroupIngress takes them for IpProtocol."""


@dataclass(frozen=True)
class Wearer:
    """A resource with a security group."""

    role: Role
    stack: str
    logical_id: str

    @property
    def key(self) -> str:
        """Its name in the environment: ``alb/LoadBalancer``."""
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Group:
    """A security group."""

    stack: str
    logical_id: str
    description: str
    worn_by: tuple[Wearer, ...]

    @property
    def key(self) -> str:
        """Its name in the environment: ``network/AlbSecurityGroup``."""
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Peer:
    """The other end of a rule."""

    kind: Literal["group", "cidr", "prefix list"]
    value: str
    """``network/EcsSecurityGroup``, ``sg-…``, ``0.0.0.0/0``, ``pl-…``."""


@dataclass(frozen=True)
class Rule:
    """What a group lets in or out."""

    group: str
    """Key of the group: ``network/AlbSecurityGroup``."""
    direction: Literal["in", "out"]
    protocol: str
    """``TCP``, ``UDP``, ``ICMP``, ``all``."""
    ports: str
    """``443``, ``1024-65535``, ``all``; of ICMP, the type."""
    peer: Peer
    description: str = ""

    @property
    def matches_nothing(self) -> bool:
        """Whether no packet can match it: the rule of a group without traffic."""
        return self.peer.value in NOWHERE

    @property
    def service(self) -> str:
        """Protocol and ports in words: ``TCP 443``, ``all``."""
        return self.protocol if self.ports == "all" else f"{self.protocol} {self.ports}"


@dataclass(frozen=True)
class Flow:
    """Traffic between two groups: one allows it outbound, the other inbound."""

    source: str
    target: str
    protocol: str
    ports: str

    @property
    def service(self) -> str:
        """Protocol and ports in words: ``TCP 443``."""
        return self.protocol if self.ports == "all" else f"{self.protocol} {self.ports}"


@dataclass(frozen=True)
class Traffic:
    """The security groups of an environment with their rules, in the order of stacks and logical ids."""

    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]

    def of(self, group: str, direction: Literal["in", "out"]) -> tuple[Rule, ...]:
        """Return those rules of *group* (``network/AlbSecurityGroup``) that match something."""
        return tuple(
            rule
            for rule in self.rules
            if rule.group == group and rule.direction == direction and not rule.matches_nothing
        )

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Traffic between groups; a rule without its counterpart allows nothing."""
        let_in = {
            (rule.peer.value, rule.group, rule.protocol, rule.ports)
            for rule in self.rules
            if rule.direction == "in"
        }
        wanted = [
            (rule.group, rule.peer.value, rule.protocol, rule.ports)
            for rule in self.rules
            if rule.direction == "out" and rule.peer.kind == "group"
        ]
        return tuple(Flow(*one) for one in dict.fromkeys(wanted) if one in let_in)


def traffic(manifest: Manifest) -> Traffic:
    """Return who can connect to whom in the environment that *manifest* describes."""
    found = References(manifest)
    worn = _worn(found)
    groups = tuple(
        Group(one.stack, one.logical_id, _text(found, one, "GroupDescription"), worn.get(one.key, ()))
        for one in found.of_type("AWS::EC2::SecurityGroup")
    )
    order = {group.key: place for place, group in enumerate(groups)}
    rules = sorted(
        _rules(found), key=lambda rule: (order.get(rule.group, len(order)), rule.direction, _sorting(rule))
    )
    return Traffic(groups, tuple(rules))


def _sorting(rule: Rule) -> tuple[str, int, str, str]:
    first = rule.ports.partition("-")[0]
    return rule.protocol, int(first) if first.isdigit() else -1, rule.peer.kind, rule.peer.value


def _worn(found: References) -> Mapping[str, tuple[Wearer, ...]]:
    worn: dict[str, tuple[Wearer, ...]] = {}
    for wearer, groups in [*_wearing(found), *_migrating(found)]:
        for group in groups:
            worn[group] = (*worn.get(group, ()), wearer)
    return worn


def _wearing(found: References) -> Iterator[tuple[Wearer, tuple[str, ...]]]:
    for one in found.of_type(*WEARERS):
        role, path = WEARERS[one.type]
        yield Wearer(role, one.stack, one.logical_id), found.keys(one.stack, one.get(*path))


def _migrating(found: References) -> Iterator[tuple[Wearer, tuple[str, ...]]]:
    """Yield the tasks that the deployer runs: their groups are beside the template, as names of exports."""
    for stack in found.manifest.stacks:
        if stack.migration:
            task = found.exported(stack.migration.definition_export)
            ends = [found.exported(name) for name in stack.migration.security_group_exports]
            if isinstance(task, Target):
                wearer = Wearer("task", task.stack, task.logical_id)
                yield wearer, tuple(end.key for end in ends if isinstance(end, Target))


def _rules(found: References) -> Iterator[Rule]:
    for group in found.of_type("AWS::EC2::SecurityGroup"):
        for inbound in found.entries(group.stack, group.get("SecurityGroupIngress")) or ():
            yield _rule(found, group.stack, group.key, "in", inbound)
        # Source: CloudFormation Template Reference, "AWS::EC2::SecurityGroup", SecurityGroupEgress.
        default = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "EC2's own default"}
        outbound = found.entries(group.stack, group.get("SecurityGroupEgress"))
        for entry in [default] if outbound is None else outbound:
            yield _rule(found, group.stack, group.key, "out", entry)
    for one in found.of_type("AWS::EC2::SecurityGroupIngress"):
        (key,) = found.keys(one.stack, [one.get("GroupId")])
        yield _rule(found, one.stack, key, "in", one.properties)
    for one in found.of_type("AWS::EC2::SecurityGroupEgress"):
        (key,) = found.keys(one.stack, [one.get("GroupId")])
        yield _rule(found, one.stack, key, "out", one.properties)


def _rule(
    found: References, stack: str, group: str, direction: Literal["in", "out"], entry: Mapping[str, Any]
) -> Rule:
    said = str(entry["IpProtocol"])
    protocol = PROTOCOLS.get(said, said if said == "all" else said.upper())
    peer = _peer(found, stack, entry)
    return Rule(group, direction, protocol, _ports(entry, protocol), peer, str(entry.get("Description", "")))


def _ports(entry: Mapping[str, Any], protocol: str) -> str:
    first, last = str(entry.get("FromPort", -1)), str(entry.get("ToPort", -1))
    if protocol == "all" or first == "-1":
        return "all"
    if protocol.startswith("ICMP"):
        return f"type {first}"
    return first if first == last else f"{first}-{last}"


def _peer(found: References, stack: str, entry: Mapping[str, Any]) -> Peer:
    for end in "Source", "Destination":
        if f"{end}SecurityGroupId" in entry:
            return Peer("group", found.keys(stack, [entry[f"{end}SecurityGroupId"]])[0])
        if f"{end}PrefixListId" in entry:
            return Peer("prefix list", found.text(stack, entry[f"{end}PrefixListId"]))
    return Peer("cidr", found.text(stack, entry.get("CidrIp", entry.get("CidrIpv6", ""))))


def _text(found: References, one: Resource, name: str) -> str:
    return found.text(one.stack, one.get(name) or "")
