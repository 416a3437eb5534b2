"""The availability zones of the network's subnets; only the account knows their names."""

from __future__ import annotations

from troposphere import Parameter, Ref, Select

from stacks.wiring import Stack


def add(stack: Stack) -> tuple[Select, ...]:
    """
    Return a zone for each subnet of a kind, out of a parameter that the deployer sets.

    ``Fn::GetAZs`` would give zones that lack what the stacks need, one zone where an account has one default
    subnet, and others as soon as AWS opens a zone (CloudFormation Template Reference, "Fn::GetAZs").
    """
    network = stack.settings.network
    parameter = Parameter(
        "AvailabilityZones",
        Type="List<AWS::EC2::AvailabilityZone::Name>",
        Description="Zones of the first and second subnet of each kind; those of subnets that are there stay",
    )
    zones: Ref = stack.look_up(
        parameter, "availability-zones", wanted=",".join(network.availability_zones or ())
    )
    return tuple(Select(index, zones) for index in range(len(network.private_subnet_cidrs)))
