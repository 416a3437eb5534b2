"""Least privilege: what deploying asks for is allowed; what it never does, and what is dangerous, is not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from generator.render import render
from sandbox.resources.schema import ProviderSchemas
from stacks.bootstrap import build
from stacks.wiring import Stack
from tests.iam_dangers import AWS, DANGEROUS, OURS
from tests.iam_needs import BOUNDARY, NOT_ASKED, needs
from tests.iam_policies import (
    ARTIFACTS,
    Document,
    Request,
    allowed,
    boundary_of,
    documents_of,
    like,
    resolved,
)
from tests.iam_worlds import WORLDS, world

SCHEMAS = ProviderSchemas()
LONGEST_POLICY = 6144
MOST_POLICIES = 10
"""IAM User Guide, "IAM and AWS STS quotas"; white space does not count."""


@cache
def bootstrap(name: str, *deploys: str) -> Stack:
    return build(world(name, deploys=list(deploys)))


@cache
def deploying(name: str, *deploys: str) -> tuple[Document, ...]:
    return tuple(documents_of(bootstrap(name, *deploys), "DeployRole"))


@cache
def planning(name: str) -> tuple[Document, ...]:
    return tuple(documents_of(bootstrap(name), "PlanRole"))


def _refused(asked: Iterable[Request], documents: tuple[Document, ...]) -> list[str]:
    once = {(one.action, one.resource, json.dumps(one.context, sort_keys=True)): one for one in asked}
    return sorted(str(one) for one in once.values() if not allowed(one, documents))


@pytest.mark.parametrize("name", WORLDS)
def test_the_deploy_role_may_do_what_cloudformation_asks_of_it(name: str) -> None:
    assert _refused(needs(render(world(name)), SCHEMAS), deploying(name)) == []


def test_what_handlers_never_ask_of_us_is_excused_for_what_they_ask() -> None:
    asked = {
        f"{service.lower()}:{action}"
        for name in WORLDS
        for spec in render(world(name)).stacks
        for resource in json.loads(spec.template)["Resources"].values()
        for handler in SCHEMAS._schema(resource["Type"]).get("handlers", {}).values()
        for service, _, action in (one.partition(":") for one in handler.get("permissions", ()))
    }
    patterns = [pattern for each in NOT_ASKED for pattern in each.split()]

    assert [one for one in patterns if not any(like(one).fullmatch(action) for action in asked)] == []


def _sizes(stack: Stack) -> Mapping[str, int]:
    names = {"ArtifactsBucket.Arn": f"arn:aws:s3:::{ARTIFACTS}"}.__getitem__
    return {
        title: len(json.dumps(resolved(entry["Properties"]["PolicyDocument"], names), separators=(",", ":")))
        for title, entry in stack.template.to_dict()["Resources"].items()
        if entry["Type"] == "AWS::IAM::ManagedPolicy"
    }


@pytest.mark.parametrize(
    "deploys", [(), ("*-litellm-benchmark", "longest-e-litellm-benchmark", "dev-litellm")[:2]]
)
def test_policies_fit_into_iam_with_the_longest_names_that_it_has(deploys: tuple[str, ...]) -> None:
    stack = bootstrap("litellm-benchmark", *deploys)

    longest_region = 5  # ap-southeast-2 to us-east-1, in a hundred ARNs at the most
    assert {
        title: size for title, size in _sizes(stack).items() if size > LONGEST_POLICY - 60 * longest_region
    } == {}
    attached = stack.template.to_dict()["Resources"]["DeployRole"]["Properties"]["ManagedPolicyArns"]
    assert len(attached) <= MOST_POLICIES


@pytest.mark.parametrize("what", DANGEROUS)
def test_the_deploy_role_may_not(what: str) -> None:
    action, resource, context = DANGEROUS[what]

    assert not allowed(Request(action, resource, context), deploying("dev"))
    assert not allowed(Request(action, resource, context), planning("dev"))


@pytest.mark.parametrize("what", ["make a role without a boundary", "use another key", "delete another VPC"])
def test_the_same_is_allowed_on_our_own(what: str) -> None:
    action, resource, _ = DANGEROUS[what]

    assert allowed(Request(action, resource, {**OURS, "iam:PermissionsBoundary": BOUNDARY}), deploying("dev"))


WRITES = (
    "Create",
    "Delete",
    "Put",
    "Update",
    "Modify",
    "Execute",
    "Run",
    "Start",
    "Stop",
    "Attach",
    "Set",
    "Tag",
)


def test_who_only_plans_changes_nothing_but_change_sets() -> None:
    may = {
        action
        for document in planning("dev")
        for statement in document["Statement"]
        for action in statement["Action"]
        if action.partition(":")[2].startswith(WRITES)
    }

    assert may == {
        "cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:TagResource"
    }  # fmt: skip


def test_who_only_plans_reads_no_secret() -> None:
    asked = Request("secretsmanager:GetSecretValue", AWS.format("secretsmanager") + "secret:dev-litellm/x-1")

    assert not allowed(asked, planning("dev"))
    assert allowed(asked, deploying("dev"))


def test_no_statement_allows_everything_on_everything() -> None:
    for document in (*deploying("prod"), *planning("prod"), boundary_of(bootstrap("prod"))):
        for statement in document["Statement"]:
            assert all(":" in action and not action.endswith(":*") for action in statement["Action"])


@pytest.mark.parametrize("name", WORLDS)
def test_the_boundary_leaves_the_stacks_roles_what_they_have(name: str) -> None:
    settings = world(name)
    boundary = boundary_of(build(settings))
    context = {f"aws:ResourceTag/{key}": value for key, value in settings.stack_tags("security").items()}
    missing = [
        f"{action} on {resource} ({title})"
        for title, statement in _statements_of_roles(name)
        for action in statement["Action"]
        for resource in _concrete(statement["Resource"], settings.prefix)
        if statement["Effect"] == "Allow" and not allowed(Request(action, resource, context), [boundary])
    ]

    assert missing == []


def _statements_of_roles(name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for spec in render(world(name)).stacks:
        for title, entry in json.loads(spec.template)["Resources"].items():
            properties = entry["Properties"]
            policies = [*properties.get("Policies", ())] if entry["Type"] == "AWS::IAM::Role" else []
            policies += [properties] if entry["Type"] == "AWS::IAM::Policy" else []
            for policy in policies:
                yield from ((title, one) for one in policy["PolicyDocument"]["Statement"])


def _concrete(resources: Any, prefix: str) -> list[str]:
    """Return ARNs in which nothing is left open; ``*`` alone stays."""
    named = {
        "Secret": AWS.format("secretsmanager") + f"secret:{prefix}/x-1",
        "Key": AWS.format("kms") + "key/1",
        "Bucket": f"arn:aws:s3:::{prefix}-security-bucket-x",
        "Stream": AWS.format("firehose") + f"deliverystream/{prefix}-log-archive",
        "Group": AWS.format("logs") + f"log-group:{prefix}-network-FlowLogGroup-x:*",
        "ResourceId": "cluster-ABC",
    }
    found = resolved(resources, lambda name: next(arn for part, arn in named.items() if part in name))
    return [one.replace("*", "x") if one != "*" else one for one in found]


def test_roles_carry_the_boundary_where_pipelines_deploy_and_nowhere_else() -> None:
    with_pipelines = {
        json.dumps(entry["Properties"].get("PermissionsBoundary"))
        for spec in render(world("prod")).stacks
        for entry in json.loads(spec.template)["Resources"].values()
        if entry["Type"] == "AWS::IAM::Role"
    }

    assert [resolved(json.loads(one)) for one in with_pipelines] == [BOUNDARY]
