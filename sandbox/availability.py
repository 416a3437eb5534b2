"""
Availability zones as an account sees them: its own names for AWS's ids, and offers that differ by zone.

Which name stands for which zone differs from account to account; the id is the same in all of them
(AWS RAM User Guide, "Availability Zone IDs for your AWS resources").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FARGATE, NAT, SUBNETS, ENDPOINTS, DATABASES = "fargate", "nat", "subnets", "endpoints", "databases"
KINDS = frozenset({FARGATE, NAT, SUBNETS, ENDPOINTS, DATABASES})
KNOWN_GAPS: Mapping[str, frozenset[str]] = {
    "apne1-az3": frozenset({FARGATE, NAT}),
    "usw1-az2": frozenset({FARGATE}),
}
"""
Zone -> what it never has.

Sources: Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate" (the zones that are
noted there; read 2026-11-28); NAT gateways: reports of AWS CDK's users.
"""


@dataclass(frozen=True)
class AvailabilityZone:
    """One zone of an account."""

    name: str
    id: str
    default_subnet: bool = True
    gaps: frozenset[str] = frozenset()
    """What it lacks: a kind of `KINDS`, one endpoint (``ecr.api``), one instance class (``db.t3.micro``)."""
    type: str = "availability-zone"
    """Or ``local-zone``, where the account has opted in to one."""

    def has(self, *what: str) -> bool:
        """Whether it has all of *what*."""
        return not (self.gaps | KNOWN_GAPS.get(self.id, frozenset())) & set(what)


def zones_of(layout: Sequence[Mapping[str, Any]]) -> tuple[AvailabilityZone, ...]:
    """
    Return the zones of an account from JSON, in the order in which AWS lists them.

    Raises:
        TypeError: an entry has a key that no zone has.

    """
    return tuple(
        AvailabilityZone(**{**one, "gaps": frozenset(_texts(one.get("gaps", ())))}) for one in layout
    )


def _texts(value: Collection[str]) -> Collection[str]:
    return [value] if isinstance(value, str) else value


def listed(layout: Sequence[Mapping[str, Any]], region: str) -> list[str]:
    """
    Return what ``Fn::GetAZs`` gives: the zones with a default subnet, or all where none has one.

    Source: CloudFormation Template Reference, "Fn::GetAZs". Their order is not guaranteed there, and so it is
    the account's. Without a *layout* the region has three, each with a default subnet.
    """
    zones = [one for one in zones_of(layout) if one.type == "availability-zone"]
    if not zones:
        return [f"{region}{letter}" for letter in "abc"]
    return [one.name for one in zones if one.default_subnet] or [one.name for one in zones]
