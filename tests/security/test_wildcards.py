"""No policy is wider than it must be: each wildcard has its reason, each AWS service its source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache

import pytest

from sandbox.access.handlers import ACTIONS
from security.scan import manifests
from tests.security.policy_wildcards import (
    NO_RESOURCE,
    NOT_IN_THE_TABLE,
    Explanation,
    Statement,
    Wildcard,
    explanations,
    statements,
    wildcards,
)

TABLE = explanations()

FOR_WHOM = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "kms:calleraccount",
    "kms:encryptioncontext",
    "sts:externalid",
)
"""Beginnings of the conditions that say for whom an AWS service acts."""

WITHOUT_SOURCE: Mapping[str, str] = {
    "*/*RotationRole/Trust": "Lambda documents no source for the role that a function runs as",
    "service/TrafficRole/Trust": "ECS documents none for its infrastructure role",
    "security/AlarmTopicPolicy/EventsPublish": "EventBridge sends none of the keys to SNS",
    "security/Key/Events": "the same: SNS asks in EventBridge's name",
    "alb/AccessLogBucketPolicy/LogDelivery": "the path says whose load balancers: AWSLogs/{account}",
}
"""
Where a service is let in without a word about for whom, and why.

Sources, in this order: AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution
role"; Amazon ECS Developer Guide, "Amazon ECS infrastructure IAM role for load balancers"; EventBridge User
Guide, "Using resource-based policies", Amazon SNS; Amazon SNS Developer Guide, "Enable compatibility between
event sources from AWS services and encrypted topics"; User Guide for Application Load Balancers, "Enable
access logs".
"""


@cache
def found() -> tuple[Wildcard, ...]:
    return tuple(wildcards())


def test_every_wildcard_has_its_reason() -> None:
    unexplained = {str(one) for one in found() if not any(reason.explains(one) for reason in TABLE)}

    assert unexplained == set()


@pytest.mark.parametrize("reason", TABLE, ids=lambda one: one.at[0])
def test_a_reason_is_about_wildcards_that_are_there(reason: Explanation) -> None:
    explained = [one for one in found() if reason.explains(one)]

    assert set(reason.wildcards) - {one.text for one in explained} == set()
    assert [
        at for at in reason.at if not any(fnmatchcase(one.statement.place, at) for one in explained)
    ] == []


@pytest.mark.parametrize(
    "reason", [one for one in TABLE if one.reason.startswith(NO_RESOURCE)], ids=lambda one: one.at[0]
)
def test_where_aws_is_said_to_know_no_resource_it_knows_none(reason: Explanation) -> None:
    actions = {action for one in found() if reason.explains(one) for action in one.statement.actions}

    assert {action for action in actions if ACTIONS.get(action)} == set()
    assert {action for action in actions if action not in ACTIONS} <= NOT_IN_THE_TABLE


def test_no_statement_allows_every_action_but_the_key_to_its_account_and_endpoints_to_ours() -> None:
    whole = {
        one.place: one.content.get("Condition")
        for one in statements()
        if one.content["Effect"] == "Allow" and any(action.endswith("*") for action in one.actions)
    }
    endpoints = {place for place in whole if place.endswith("Endpoint/OwnAccount")}

    assert whole.keys() - endpoints == {"security/Key/Account", "bootstrap/LookAtContentsPolicy/ReadBuckets"}
    assert [whole[place] for place in endpoints] == [
        {"StringEquals": {"aws:PrincipalAccount": "{account}"}} for _ in endpoints
    ]


def test_a_function_is_invoked_by_one_service_for_this_account() -> None:
    permissions = [
        resource["Properties"]
        for _, manifest in manifests()
        for spec in manifest.stacks
        for resource in json.loads(spec.template)["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
    ]

    assert {(one["Principal"], json.dumps(one["SourceAccount"])) for one in permissions} == {
        ("secretsmanager.amazonaws.com", '{"Ref": "AWS::AccountId"}')
    }


def _services(one: Statement) -> list[str]:
    principal = one.content.get("Principal", {})
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return [named] if isinstance(named, str) else named


def _conditions(one: Statement) -> Iterator[str]:
    for keys in one.content.get("Condition", {}).values():
        yield from (key.lower() for key in keys)


def test_a_service_is_let_in_for_a_source_of_this_account_alone() -> None:
    """The confused deputy problem (IAM User Guide)."""
    open_to_all = {
        one.place
        for one in statements()
        if _services(one) and not any(key.startswith(FOR_WHOM) for key in _conditions(one))
    }

    assert {place for place in open_to_all if not _excused(place)} == set()
    assert {at for at in WITHOUT_SOURCE if not any(fnmatchcase(place, at) for place in open_to_all)} == set()


def _excused(place: str) -> bool:
    return any(fnmatchcase(place, at) for at in WITHOUT_SOURCE)


def test_everybody_is_let_in_only_as_somebody_of_this_account() -> None:
    everybody = {
        one.place: dict(one.content.get("Condition", {}))
        for one in statements()
        if one.content["Effect"] == "Allow" and one.content.get("Principal") in ("*", {"AWS": "*"})
    }
    layers = everybody.pop("network/S3Endpoint/ImageLayers")

    assert layers == {}  # AWS's own bucket, and reading alone
    assert all(
        {"aws:PrincipalAccount", "kms:CallerAccount"} & condition["StringEquals"].keys()
        for condition in everybody.values()
    )
    assert len(everybody) > 2
