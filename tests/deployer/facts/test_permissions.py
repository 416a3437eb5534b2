"""What a change allows that was not allowed before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from deployer.facts.permissions import widened
from deployer.states import Change, PropertyChange

READ = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a"}
DENY = {"Sid": "No", "Effect": "Deny", "Action": ["s3:*"], "Resource": "*"}
WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}


def policy(*statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": "x", "PolicyDocument": {"Statement": list(statements)}}]


def found(type_: str, name: str, before: Any, after: Any) -> list[tuple[str, str]]:
    """Return what the change of a property widens."""
    detail = PropertyChange("Properties", f"/Properties/{name}", "", json.dumps(before), json.dumps(after))
    change = Change("Modify", "One", type_, details=(detail,))
    wanted = {"One": {"Properties": {name: after}}}
    return [(one.kind, one.words) for one in widened("s", (change,), wanted)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([READ], [READ], []),
        ([], [READ], [("new", "Read: Allow s3:GetObject on a")]),
        ([READ], [], []),
        ([READ], [READ | {"Action": ["s3:GetObject", "s3:Put"]}], [("wider", "Read: Action s3:Put")]),
        ([READ], [READ | {"Resource": ["a", "b"]}], [("wider", "Read: Resource b")]),
        ([READ | {"Resource": ["a", "b"]}], [READ], []),
        (
            [READ | {"Condition": {"Bool": {"k": "true"}}}],
            [READ],
            [("wider", 'Read: Condition none (was {"Bool": {"k": "true"}})')],
        ),
        (
            [READ | {"Principal": {"AWS": "1"}}],
            [READ | {"Principal": {"AWS": ["1", "2"]}}],
            [("wider", "Read: Principal AWS:2")],
        ),
        ([], [DENY], []),
        ([DENY], [], [("no longer denied", "No: Deny s3:* on *")]),
        ([DENY], [DENY | {"Action": ["s3:Put*"]}], [("no longer denied", "No: Action s3:*")]),
        ([DENY], [DENY | {"Effect": "Allow"}], [("new", "No: Allow s3:* on *")]),
    ],
)  # fmt: skip
def test_statements_that_are_new_or_cover_more_are_told(before: Any, after: Any, told: Any) -> None:
    assert found("AWS::IAM::Role", "Policies", policy(*before), policy(*after)) == told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [WEB], [("new", "tcp 443 from 10.0.0.0/8")]),
        ([WEB], [WEB | {"Description": "other"}], []),
        ([WEB], [WEB | {"CidrIp": "10.9.0.0/16"}], []),
        ([WEB], [WEB | {"CidrIp": "0.0.0.0/0"}], [("new", "tcp 443 from 0.0.0.0/0")]),
        ([WEB], [WEB, WEB | {"FromPort": 22, "ToPort": 22}], [("new", "tcp 22 from 10.0.0.0/8")]),
        ([WEB], [WEB | {"ToPort": 500}], [("new", "tcp 443-500 from 10.0.0.0/8")]),
        ([WEB], [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}], [("new", "any protocol from 10.0.0.0/8")]),
        ([{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}], [WEB], []),
    ],
)
def test_rules_of_a_security_group_that_allow_more_are_told(before: Any, after: Any, told: Any) -> None:
    assert found("AWS::EC2::SecurityGroup", "SecurityGroupIngress", before, after) == told


def test_new_resources_are_read_from_the_template() -> None:
    changes = (
        Change("Add", "Rule", "AWS::EC2::SecurityGroupIngress"),
        Change("Add", "Role", "AWS::IAM::Role"),
        Change("Add", "Call", "AWS::Lambda::Permission"),
        Change("Add", "Topic", "AWS::SNS::Topic"),
        Change("Remove", "Old", "AWS::IAM::Role"),
    )
    wanted = {
        "Rule": {"Properties": WEB | {"CidrIp": {"Fn::ImportValue": "range"}}},
        "Role": {"Properties": {"Policies": policy(READ, DENY), "ManagedPolicyArns": ["arn:x"]}},
        "Call": {"Properties": {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}},
        "Topic": {"Properties": {"TopicName": "t"}},
    }

    assert [(one.logical_id, one.words) for one in widened("s", changes, wanted)] == [
        ("Rule", 'tcp 443 from {"Fn::ImportValue": "range"}'),
        ("Role", "Read: Allow s3:GetObject on a"),
        ("Role", "managed policy arn:x"),
        ("Call", "Allow lambda:InvokeFunction to events.amazonaws.com"),
    ]


def test_what_is_no_policy_and_what_nobody_knows_says_nothing() -> None:
    cut = PropertyChange("Properties", "Policies", "", "[{cut", "[{other")
    unknown = PropertyChange("Properties", "Policies", cause="ResourceAttribute Key.Arn")

    assert widened("s", (Change("Modify", "R", "AWS::IAM::Role", details=(cut, unknown)),), {}) == ()
