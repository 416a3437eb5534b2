"""
Network interfaces that block the deletion of subnets and security groups: owner and lifetime. Pure.

Read in November 2026. EC2 identifies the owner only in an interface's description.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """A network interface in EC2's words."""

    id: str
    description: str


@dataclass(frozen=True)
class Holder:
    """A service that puts interfaces into subnets."""

    pattern: str
    """Over the description; the group names what it is for."""
    words: str
    minutes: int
    """After which its owner should be deleted, and the interface with it."""
    source: str


HOLDERS: tuple[Holder, ...] = (
    Holder(
        r"AWS Lambda VPC ENI-(.+?)(?:-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?",
        "Lambda function",
        45,
        "AWS Lambda Developer Guide, Giving Lambda functions access to resources in an Amazon VPC",
    ),
    Holder(
        r"ELB (?:app|net)/([^/]+)/.*",
        "load balancer",
        15,
        "Elastic Load Balancing, Delete an Application Load Balancer",
    ),
    Holder(
        r"arn:[\w-]+:ecs:.*:attachment/(.+)",
        "ECS task with the attachment",
        15,
        "Amazon ECS Developer Guide, Amazon ECS task networking options for Fargate",
    ),
    Holder(
        r"VPC Endpoint Interface (vpce-\w+)",
        "endpoint",
        15,
        "AWS PrivateLink Guide, Delete an interface endpoint",
    ),
    Holder(
        r"Interface for NAT Gateway (nat-\w+)",
        "NAT gateway",
        15,
        "Amazon VPC User Guide, Work with NAT gateways",
    ),
    Holder(
        r"(RDS)NetworkInterface",
        "database,",
        15,
        "Amazon RDS User Guide, Working with a DB instance in a VPC",
    ),
    Holder(r"ElastiCache (.+)", "cache", 15, "Amazon ElastiCache User Guide, Amazon VPCs and ElastiCache"),
)
"""Their words come before what the pattern's group has found."""


def patience_minutes(found: Collection[Interface]) -> int:
    """Return how long to wait for the deletion of *found*; 0 if empty, or if one is not a service's."""
    holders = [_holder(one) for one in found]
    return max((one.minutes for one in holders if one), default=0) if all(holders) else 0


def told(found: Collection[Interface]) -> str:
    """Return which interfaces are in the way, and whose they are."""
    return ", ".join(sorted(_told(found)))


def _told(found: Collection[Interface]) -> Iterator[str]:
    for one in found:
        holder = _holder(one)
        match = re.fullmatch(holder.pattern, one.description) if holder else None
        words = f"{holder.words} {match[1]}" if holder and match else one.description or "no description"
        yield f"{one.id} ({words})"


def _holder(one: Interface) -> Holder | None:
    return next((row for row in HOLDERS if re.fullmatch(row.pattern, one.description)), None)
