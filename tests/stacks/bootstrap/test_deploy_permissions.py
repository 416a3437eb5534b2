"""Least privilege: what deploying asks for is allowed; what it never does, and what is dangerous, is not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from awacs.aws import StringEquals, StringLike

from deployer.checks.kept import IDENTIFIERS
from generator.manifest import Manifest
from generator.render import render
from sandbox.access.handlers import NOT_ASKED
from sandbox.access.policies import Document, Request, allowed, like
from sandbox.resources.handler import generated_name
from sandbox.resources.schema import ProviderSchemas
from stacks.bootstrap import build
from stacks.bootstrap.reach import KEPT_OF_STACK, when
from stacks.environment import parse_settings
from stacks.settings import System
from stacks.wiring import Stack
from tests.covering import only
from tests.generator.test_shipped_environments import BETWEEN
from tests.stacks.bootstrap.iam_dangers import (
    AWS,
    DANGEROUS,
    DEPLOYS_ONLY,
    FUNCTION,
    IN_ECS,
    MINE,
    OURS,
    OWN_SNAPSHOTS,
    PLANS_MAY,
    PLANS_NEVER,
    ROLE,
    TARGET,
    VIA,
    restore,
)
from tests.stacks.bootstrap.iam_needs import BOUNDARY, needs
from tests.stacks.bootstrap.iam_policies import ACCOUNT, ARTIFACTS, boundary_of, documents_of, resolved
from tests.stacks.bootstrap.iam_worlds import PIPELINES, WORLDS, world

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


@cache
def rendered(name: str) -> Manifest:
    return render(world(name))


def _refused(asked: Iterable[Request], documents: tuple[Document, ...]) -> list[str]:
    once = {(one.action, one.resource, json.dumps(one.context, sort_keys=True)): one for one in asked}
    return sorted(str(one) for one in once.values() if not allowed(one, documents))


ALIKE = BETWEEN | {"local"}
"""Worlds with the resources of another one: "local" has those of "dev"."""


@pytest.mark.parametrize("name", only({*WORLDS} - ALIKE, WORLDS))
def test_the_deploy_role_may_do_what_cloudformation_asks_of_it(name: str) -> None:
    assert _refused(needs(rendered(name), SCHEMAS), deploying(name)) == []


def test_what_handlers_never_ask_of_us_is_excused_for_what_they_ask() -> None:
    asked = {
        f"{service.lower()}:{action}"
        for name in WORLDS
        for spec in rendered(name).stacks
        for resource in json.loads(spec.template)["Resources"].values()
        for handler in SCHEMAS.schema(resource["Type"]).get("handlers", {}).values()
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


@pytest.mark.parametrize("what", DEPLOYS_ONLY)
def test_who_only_plans_may_not_what_who_deploys_may(what: str) -> None:
    asked = Request(*DEPLOYS_ONLY[what])

    assert not allowed(asked, planning("dev"))
    assert allowed(asked, deploying("dev")) or what.startswith("plan by a template")


@pytest.mark.parametrize("what", PLANS_MAY)
def test_who_only_plans_may(what: str) -> None:
    assert allowed(Request(*PLANS_MAY[what]), planning("dev"))
    assert allowed(Request(*PLANS_MAY[what]), deploying("dev"))


@pytest.mark.parametrize("what", PLANS_NEVER)
def test_who_only_plans_does_not_see_what_others_have(what: str) -> None:
    assert not allowed(Request(*PLANS_NEVER[what]), planning("dev"))


def test_who_only_plans_executes_nothing_whatever_else_the_account_allows_the_role() -> None:
    everything = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
    for what in ("execute a change set", "delete a stack", "pass a role to a task", "read a secret"):
        asked = Request(*DEPLOYS_ONLY[what])
        assert allowed(asked, [everything])
        assert not allowed(asked, [*planning("dev"), everything])


OWN: Mapping[str, Request] = {
    "restore our last snapshot": Request(*restore(OWN_SNAPSHOTS[0])),
    "restore our nightly snapshot": Request(*restore(OWN_SNAPSHOTS[1])),
    "say who takes a bounded role": Request(
        "iam:UpdateAssumeRolePolicy", ROLE, {"iam:PermissionsBoundary": BOUNDARY}
    ),
    "take a role of before the boundary away": Request("iam:DeleteRole", ROLE, OURS),
    "give a role of before the boundary one": Request(
        "iam:PutRolePermissionsBoundary", ROLE, {**OURS, "iam:PermissionsBoundary": BOUNDARY}
    ),
    "tag a role that CloudFormation makes": Request("iam:TagRole", ROLE, {**MINE, **VIA}),
    "run our task in our cluster": Request(
        "ecs:RunTask",
        AWS.format("ecs") + "task-definition/dev-litellm-migration:1",
        {"ecs:cluster": AWS.format("ecs") + "cluster/dev-litellm"},
    ),
    "run our migration in its cluster": Request(
        "ecs:RunTask",
        AWS.format("ecs") + "task-definition/dev-litellm-migration:1",
        {"ecs:cluster": AWS.format("ecs") + "cluster/dev-litellm-migration"},
    ),
    "see whether our migration runs": Request(
        "ecs:ListTasks", "*", {"ecs:cluster": AWS.format("ecs") + "cluster/dev-litellm-migration"}
    ),
    "scale our service": Request("application-autoscaling:PutScalingPolicy", TARGET, {**IN_ECS, **OURS}),
    "open a function to Secrets Manager": Request(
        "lambda:AddPermission", FUNCTION, {"lambda:Principal": "secretsmanager.amazonaws.com"}
    ),
    "have an alarm tell nobody": Request(
        "cloudwatch:PutMetricAlarm", AWS.format("cloudwatch") + "alarm:dev-litellm-x"
    ),
    "take a large template from the account's bucket": Request(
        "cloudformation:CreateChangeSet",
        AWS.format("cloudformation") + "stack/dev-litellm-alb/1",
        {
            "cloudformation:ChangeSetName": "gatestack-0123456789abcdef",
            "cloudformation:TemplateUrl": (
                "https://s3.us-east-1.amazonaws.com/gatestack-artifacts-123456789012-us-east-1/x"
            ),
        },
    ),
}


@pytest.mark.parametrize("what", OWN)
def test_who_deploys_may_do_with_its_own(what: str) -> None:
    assert allowed(OWN[what], deploying("dev"))


def test_a_snapshot_that_the_file_names_is_restored_and_no_other_of_its_owner() -> None:
    named = parse_settings(
        "system: litellm\nenvironment: dev\n"
        + yaml.safe_dump({"pipelines": PIPELINES, "database": {"snapshot_identifier": "payroll-copy"}}),
        Path("dev.yaml"),
    )
    documents = documents_of(build(named), "DeployRole")

    assert allowed(Request(*restore("snapshot:payroll-copy")), documents)
    assert not allowed(Request(*restore("snapshot:payroll-copy-2")), documents)
    assert not allowed(Request(*restore("snapshot:payroll")), documents)


def test_a_function_stays_in_the_vpc_that_the_file_names() -> None:
    documents = deploying("guest")
    for action in ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"):
        assert allowed(Request(action, FUNCTION, {"lambda:VpcIds": "vpc-0123456789abcdef0"}), documents)
        assert not allowed(Request(action, FUNCTION, {"lambda:VpcIds": "vpc-9"}), documents)


@pytest.mark.parametrize("system", get_args(System))
def test_what_cloudformation_names_is_ours_however_long_the_environment_s_name_is(system: str) -> None:
    environment = "abcdefghijklmnop"[: 26 - len(f"-{system}")]  # "-green" fits into 32 with it
    settings = parse_settings(
        yaml.safe_dump({"system": system, "environment": environment, "pipelines": PIPELINES}),
        Path("long.yaml"),
    )
    documents = documents_of(build(settings), "DeployRole")
    for spec in render(settings).stacks:
        for title, entry in json.loads(spec.template)["Resources"].items():
            for kind, service, limit in (("IAM::Role", "iam", 64), ("S3::Bucket", "s3", 63)):
                if entry["Type"] != f"AWS::{kind}":
                    continue
                for cut in (generated_name(spec.stack_name, title, limit), _halved(spec.stack_name, title)):
                    asked = _making(service, cut)
                    assert allowed(asked, documents), f"{asked} of {title}"


def _halved(stack: str, title: str) -> str:
    """Return the name whose halves are cut whether the other one is short or not."""
    return f"{stack[:KEPT_OF_STACK]}-{title[:KEPT_OF_STACK]}-ABCDEFGHIJKL"


def _making(service: str, name: str) -> Request:
    if service == "s3":
        return Request("s3:CreateBucket", f"arn:aws:s3:::{name.lower()}", {"aws:ResourceAccount": ACCOUNT})
    role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return Request("iam:CreateRole", role, {"iam:PermissionsBoundary": BOUNDARY})


def test_two_conditions_of_a_kind_both_count() -> None:
    condition = when(StringEquals("a:b", "1"), StringEquals({"c:d": "2"}), StringLike("e:f", "3*"))

    assert condition.JSONrepr() == {
        "StringEquals": {"a:b": "1", "c:d": "2"}, "StringLike": {"e:f": "3*"}
    }  # fmt: skip


@pytest.mark.parametrize("types", [["AWS::KMS::Key"], sorted(IDENTIFIERS)])
def test_what_destroy_keeps_can_be_taken_up_by_a_deployment_and_not_by_a_plan(types: list[str]) -> None:
    _, resource, _ = DANGEROUS["import what is there already"]
    asked = Request(
        "cloudformation:CreateChangeSet",
        resource.replace("-alb/", "-security/"),
        {
            "cloudformation:ImportResourceTypes": types,
            "cloudformation:ChangeSetName": "gatestack-0123456789abcdef",
        },
    )

    assert allowed(asked, deploying("dev"))
    assert not allowed(asked, planning("dev"))


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
        if statement["Effect"] == "Allow" and action.partition(":")[2].startswith(WRITES)
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
    for spec in rendered(name).stacks:
        for title, entry in json.loads(spec.template)["Resources"].items():
            properties = entry["Properties"]
            policies = [*properties.get("Policies", ())] if entry["Type"] == "AWS::IAM::Role" else []
            policies += [properties] if entry["Type"] == "AWS::IAM::Policy" else []
            for policy in policies:
                yield from ((title, _listed(one)) for one in policy["PolicyDocument"]["Statement"])


def _listed(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a statement as gatestack writes them; a team may write one action or resource without a list."""
    lists = {
        key: value if isinstance(value := statement[key], list) else [value] for key in ("Action", "Resource")
    }
    return {**statement, **lists}


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
        for spec in rendered("prod").stacks
        for entry in json.loads(spec.template)["Resources"].values()
        if entry["Type"] == "AWS::IAM::Role"
    }

    assert [resolved(json.loads(one)) for one in with_pipelines] == [BOUNDARY]
