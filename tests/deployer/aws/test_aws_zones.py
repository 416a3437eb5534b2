"""The adapter: what EC2 and RDS answer about zones, and what they refuse to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deployer.aws.zones import look
from deployer.checks.zone_needs import InstanceClass, Needs
from deployer.checks.zones import Zone, ZoneFacts
from deployer.errors import NotAllowed
from sandbox.server import Sandbox
from tests.deployer.checks.existing_vpc import REGION
from tests.sandbox.sandbox_account import client, standing

LOGS, ECR = (f"com.amazonaws.{REGION}.{one}" for one in ("logs", "ecr.api"))
MICRO = InstanceClass("postgres", "15.15", "db.t3.micro")
NEEDS = Needs(REGION, 2, endpoints={LOGS: frozenset({0}), ECR: frozenset({0})}, classes=(MICRO,))
LAYOUT: tuple[Mapping[str, Any], ...] = (
    {"name": f"{REGION}a", "id": "use1-az1", "gaps": ["ecr.api"]},
    {"name": f"{REGION}b", "id": "use1-az3", "gaps": ["db.t3.micro"]},
    {"name": f"{REGION}-bos-1a", "id": "use1-bos1-az1", "type": "local-zone"},
)


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        sandbox.faults.behaviour.zones = LAYOUT
        yield sandbox


def test_zones_are_told_with_what_is_offered_in_them_and_subnets_with_theirs(account: Sandbox) -> None:
    ec2 = client(account, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}b")
    subnet = made["Subnet"]["SubnetId"]

    facts = look(lambda service: client(account, service), NEEDS, (subnet, "subnet-00000000"))

    assert facts.zones == (Zone(f"{REGION}a", "use1-az1"), Zone(f"{REGION}b", "use1-az3"))
    assert facts.endpoints[ECR] == {f"{REGION}b", f"{REGION}-bos-1a"}
    assert {f"{REGION}a", f"{REGION}b"} <= facts.endpoints[LOGS]
    assert f"{REGION}b" not in facts.classes[MICRO]
    assert facts.subnets == {subnet: f"{REGION}b"}
    assert facts.unknown == ()


def listed(*zones: tuple[str, str]) -> dict[str, Any]:
    entries = [
        {"ZoneName": REGION + letter, "ZoneId": f"use1-az{letter}", "State": state} for letter, state in zones
    ]
    return {"AvailabilityZones": entries}


@pytest.fixture
def stubs() -> Iterator[dict[str, Any]]:
    """Clients of a real endpoint, and what they answer."""
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
    make: Any = boto3.client
    made = {name: make(name, region_name=REGION, **keys) for name in ("ec2", "rds")}
    found = {name: Stubber(one) for name, one in made.items()}
    for one in found.values():
        one.activate()
    yield {name: (made[name], stub) for name, stub in found.items()}
    for one in found.values():
        one.assert_no_pending_responses()


def asked(stubs: dict[str, Any], needs: Needs) -> ZoneFacts:
    return look(lambda service: stubs[service][0], needs, ())


def test_lists_are_read_to_their_end_and_a_zone_that_is_not_available_is_none(stubs: dict[str, Any]) -> None:
    ec2, rds = stubs["ec2"][1], stubs["rds"][1]
    ec2.add_response("describe_availability_zones", listed(("a", "available"), ("b", "impaired")))
    for token, letter in (("more", "a"), ("", "b")):
        detail = {"ServiceName": LOGS if token else ECR, "AvailabilityZones": [REGION + letter]}
        more = {"NextToken": token} if token else {}
        ec2.add_response("describe_vpc_endpoint_services", {"ServiceDetails": [detail], **more})
    for marker, letter in (("more", "a"), ("", "b")):
        option = {"AvailabilityZones": [{"Name": REGION + letter}]}
        more = {"Marker": marker} if marker else {}
        rds.add_response(
            "describe_orderable_db_instance_options", {"OrderableDBInstanceOptions": [option], **more}
        )

    facts = asked(stubs, NEEDS)

    assert [one.name for one in facts.zones] == [f"{REGION}a"]
    assert facts.endpoints == {LOGS: {f"{REGION}a"}, ECR: {f"{REGION}b"}}
    assert facts.classes == {MICRO: {f"{REGION}a", f"{REGION}b"}}


def test_what_may_not_be_asked_is_unknown_but_the_zones_themselves_are_needed(stubs: dict[str, Any]) -> None:
    ec2, rds = stubs["ec2"][1], stubs["rds"][1]
    ec2.add_response("describe_availability_zones", listed(("a", "available")))
    ec2.add_response("describe_vpc_endpoint_services", {"ServiceDetails": []})
    rds.add_client_error("describe_orderable_db_instance_options", "AccessDenied", http_status_code=403)
    ec2.add_client_error("describe_availability_zones", "UnauthorizedOperation", http_status_code=403)

    facts = asked(stubs, NEEDS)

    assert (facts.endpoints, facts.classes) == ({}, {})
    (why,) = facts.unknown
    assert why.endswith("grant the permission rds:DescribeOrderableDBInstanceOptions")
    with pytest.raises(NotAllowed):
        asked(stubs, Needs(REGION, 2))


def test_a_class_that_is_not_offered_in_that_version_says_nothing_of_zones(stubs: dict[str, Any]) -> None:
    stubs["ec2"][1].add_response("describe_availability_zones", listed(("a", "available")))
    options: dict[str, Any] = {"OrderableDBInstanceOptions": []}
    stubs["rds"][1].add_response("describe_orderable_db_instance_options", options)

    assert asked(stubs, Needs(REGION, 2, classes=(MICRO,))).classes == {}
