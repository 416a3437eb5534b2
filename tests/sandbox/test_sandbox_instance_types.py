"""What instance types a region offers is read when somebody asks, and is then what moto has."""

from __future__ import annotations

from sandbox.services.services import Services
from tests.sandbox.provision_world import REGION


def test_the_offerings_of_a_region_are_told_by_the_kind_of_location() -> None:
    ec2 = Services().client("ec2", REGION)

    for kind, location in (("region", REGION), ("availability-zone", f"{REGION}a")):
        filters = [{"Name": "instance-type", "Values": ["m5.large"]}]
        for _ in range(2):
            told = ec2.describe_instance_type_offerings(LocationType=kind, Filters=filters)
            offered = {one["Location"]: one["LocationType"] for one in told["InstanceTypeOfferings"]}
            assert offered[location] == kind
