"""The subnets for resources: two of each kind, in two availability zones."""

from __future__ import annotations

from troposphere import ImportValue

from stacks.wiring import Stack


def private_subnets(stack: Stack) -> list[ImportValue]:
    """Return those of tasks and functions."""
    return _subnets(stack, "Private")


def data_subnets(stack: Stack) -> list[ImportValue]:
    """Return those of data stores: without a route to the internet if there are such."""
    return _subnets(stack, "Data" if stack.settings.network.data_subnets else "Private")


def _subnets(stack: Stack, kind: str) -> list[ImportValue]:
    return [stack.imported("network", f"{kind}Subnet{zone}Id") for zone in (1, 2)]
