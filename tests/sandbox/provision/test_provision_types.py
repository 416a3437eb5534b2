"""Every real type: made, read back through its service's API, changed, read back, removed, gone."""

import json
import re
from typing import Any

import pytest

from sandbox.resources.provision import HANDLERS
from tests.sandbox.provision import (
    provision_functions,
    provision_identities,
    provision_networks,
    provision_runtimes,
)
from tests.sandbox.provision.provision_case import Case
from tests.sandbox.provision_world import POLICY, REGION, World

CASES = (
    *provision_identities.CASES,
    *provision_networks.CASES,
    *provision_runtimes.CASES,
    *provision_functions.CASES,
)


@pytest.fixture(scope="module")
def world() -> World:
    return World("000000000101")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_a_resource_is_made_shown_by_its_service_changed_and_removed(case: Case, world: World) -> None:
    properties = case.properties(world)
    made = world.provisioner.create(world.request(case.type, properties))
    assert case.read(world, made) == case.shows
    assert re.fullmatch(case.ref, made.physical_id)
    for name, expected in case.attributes.items():
        assert re.fullmatch(expected, str(made.attributes[name])), name
    assert world.leaves(case.type) - made.attributes.keys() == set()

    changed = case.change(world) if case.change else properties
    same = world.provisioner.update(world.request(case.type, changed), properties, made)
    assert same.physical_id == made.physical_id
    assert case.read(world, same) == (case.then_shows if case.change else case.shows)

    world.provisioner.delete(world.request(case.type, changed), same)
    assert world.gone(case.read, same)
    world.provisioner.delete(world.request(case.type, changed), same)


def test_every_handler_has_a_case() -> None:
    elsewhere = {
        "AWS::SNS::TopicPolicy",  # goes with its topic: AWS puts the default policy back
        "AWS::ElasticLoadBalancingV2::TrustStore",  # test_provision_trust_stores.py: moto's API shows none
    }

    assert HANDLERS.keys() - {f"AWS::{case.type}" for case in CASES} == elsewhere


def test_a_topic_policy_is_what_the_topic_then_says(world: World) -> None:
    def action() -> Any:
        held = world.api("sns").get_topic_attributes(TopicArn=world.topic)["Attributes"]["Policy"]
        return json.loads(held)["Statement"][0]["Action"]

    properties = {"Topics": [world.topic], "PolicyDocument": POLICY}
    made = world.provisioner.create(world.request("SNS::TopicPolicy", properties))
    assert action() == "s3:GetObject"

    changed = {**properties, "PolicyDocument": provision_identities.OTHER}
    world.provisioner.update(world.request("SNS::TopicPolicy", changed), properties, made)
    assert action() == "s3:PutObject"
    world.provisioner.delete(world.request("SNS::TopicPolicy", changed), made)


def test_the_region_is_the_requests(world: World) -> None:
    properties = {"LogGroupName": "/ecs/elsewhere"}
    made = world.provisioner.create(world.request("Logs::LogGroup", properties, region="eu-west-1"))

    found = [
        [group["logGroupName"] for group in world.api("logs", region).describe_log_groups()["logGroups"]]
        for region in ("eu-west-1", REGION)
    ]
    assert "/ecs/elsewhere" in found[0]
    assert "/ecs/elsewhere" not in found[1]
    assert made.attributes["Arn"] == "arn:aws:logs:eu-west-1:000000000101:log-group:/ecs/elsewhere:*"


def test_tags_follow_the_stack_and_the_resource(world: World) -> None:
    properties = {
        "Name": "/dev/tagged",
        "Type": "String",
        "Value": "v",
        "Tags": {"own": "1", "Stack": "mine"},
    }
    made = world.provisioner.create(
        world.request("SSM::Parameter", properties, tags={"Stack": "s", "Gone": "soon"})
    )

    def shown() -> dict[str, str]:
        found = world.api("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/dev/tagged")
        return {tag["Key"]: tag["Value"] for tag in found["TagList"]}

    assert shown() == {"own": "1", "Stack": "mine", "Gone": "soon"}

    changed = {**properties, "Tags": {"own": "2"}}
    world.provisioner.update(world.request("SSM::Parameter", changed, tags={"Stack": "s"}), properties, made)
    assert shown() == {"own": "2", "Stack": "s"}
