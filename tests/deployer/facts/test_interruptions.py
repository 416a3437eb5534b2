"""What an update interrupts, by AWS's notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployer.facts.interruptions import OF_A_REPLACEMENT, of_change, of_property
from deployer.facts.update_notes import HARMLESS, PROPERTIES, QUIET, REPLACED
from deployer.states import Change, PropertyChange
from sandbox.resources.schema import ProviderSchemas
from tests.places import GOLDEN


def shipped_types() -> set[str]:
    """Return the types of every shipped environment."""
    texts = (json.loads(path.read_text()) for path in sorted(Path(GOLDEN).glob("*/*.json")))
    return {one["Type"] for text in texts for one in text.get("Resources", {}).values()}


def test_the_table_has_every_type_of_the_shipped_environments() -> None:
    assert sorted(shipped_types() - QUIET) == []


def test_the_table_names_no_property_that_the_type_does_not_have() -> None:
    schemas = ProviderSchemas()

    for type_, rows in PROPERTIES.items():
        assert rows.keys() <= schemas.schema(type_)["properties"].keys(), type_
    assert [one for one in (*REPLACED, *HARMLESS, *QUIET) if not schemas.known(one)] == []


@pytest.mark.parametrize(
    ("type_", "name", "level"),
    [
        ("AWS::RDS::DBInstance", "DBInstanceClass", "interruption"),
        ("AWS::RDS::DBInstance", "AllocatedStorage", "none"),
        ("AWS::RDS::DBInstance", "Tags[0].Value", "none"),
        ("AWS::RDS::DBInstance", "DeletionProtection", "none"),
        ("AWS::ECS::Service", "TaskDefinition", "rolling"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerAttributes[0].Value", "none"),
        ("Acme::Thing::Of", "Size", "unknown"),
        ("Acme::Thing::Of", "Tags", "none"),
    ],
)
def test_a_property_has_its_effect(type_: str, name: str, level: str) -> None:
    assert of_property(type_, name).level == level


def refers(to: str, replacement: str = "Conditional") -> Change:
    """Return a rule that may be replaced because it refers to *to*."""
    detail = PropertyChange("Properties", "GroupId", "Always", cause=f"ResourceAttribute {to}.GroupId")
    kind = "AWS::EC2::SecurityGroupIngress"
    return Change("Modify", "Rule", kind, replacement=replacement, details=(detail,))  # type: ignore[arg-type]


def test_what_refers_to_a_resource_that_stays_is_not_interrupted() -> None:
    assert of_change(refers("Group"), [], kept=["Group"]).level == "none"
    assert of_change(refers("Group"), []).words == f"if it is replaced: {OF_A_REPLACEMENT}"
    assert of_change(refers("Group", "True"), [], kept=["Group"]).words == OF_A_REPLACEMENT


@pytest.mark.parametrize(
    ("change", "level"),
    [
        (Change("Add", "A", "AWS::EC2::VPC"), "none"),
        (Change("Remove", "A", "AWS::EC2::VPC"), "interruption"),
        (Change("Remove", "A", "AWS::S3::Bucket", policy_action="Retain"), "none"),
        (Change("Remove", "A", "AWS::CloudWatch::Alarm"), "none"),
        (Change("Modify", "A", "AWS::ECS::TaskDefinition", replacement="True"), "none"),
        (Change("Modify", "A", "AWS::RDS::DBInstance", replacement="True"), "interruption"),
        (Change("Modify", "A", "AWS::RDS::DBInstance", replacement="Conditional"), "some"),
        (Change("Modify", "A", "AWS::CloudWatch::Alarm", replacement="True"), "none"),
    ],
)
def test_a_change_has_the_worst_effect_of_all_that_is_in_it(change: Change, level: str) -> None:
    assert of_change(change, []).level == level
