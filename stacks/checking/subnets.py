"""Default CIDR blocks of the subnets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacks.checking import limits
from stacks.checking.fields import network_of


def derived(vpc_cidr: str) -> dict[str, list[str] | None]:
    """
    Return the two ranges of each kind of subnet in *vpc_cidr*, by key; None where the VPC is too small.

    Raises ValueError when *vpc_cidr* is no range.
    """
    vpc = network_of(vpc_cidr)
    count = 2 ** max(0, 24 - vpc.prefixlen)
    pairs: dict[str, list[str] | None] = {}
    for key, numbers in limits.SUBNET_NUMBERS.items():
        fits = vpc.prefixlen <= 24 and max(numbers) < count
        pairs[key] = [f"{vpc.network_address + 256 * number}/24" for number in numbers] if fits else None
    return pairs


def used(network: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the subnets that *network* will have."""
    if network.get("existing_vpc"):
        return ()
    return tuple(
        key for key in limits.SUBNET_NUMBERS if key != "data_subnet_cidrs" or network.get("data_subnets")
    )
