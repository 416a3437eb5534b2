"""The account's own stack: whom it trusts, for how long, what limits it; and what its settings refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.bootstrap import render_bootstrap
from generator.render import render
from stacks.bootstrap import build, trusted
from stacks.environment import EnvironmentFileError, load, parse_settings
from stacks.sections.pipelines import binds_to_approval
from tests.linted import check
from tests.places import ENVIRONMENTS
from tests.stacks.bootstrap.iam_worlds import AZURE, GITHUB, PIPELINES, SHIPPED, world
from tests.stacks.finders import only, properties, resources, template

VSTOKEN = "vstoken.dev.azure.com/61c028b9-510c-4f84-bfb2-f48d33b6b542"
ACTIONS_TOKEN = "token.actions.githubusercontent.com"


def trust(role: str, **pipelines: Any) -> list[dict[str, Any]]:
    """The trust policy's statements."""
    stack = build(world("dev", **pipelines))
    found: list[dict[str, Any]] = properties(stack, role)["AssumeRolePolicyDocument"]["Statement"]
    return found


def refused(**pipelines: Any) -> list[str]:
    """What is said against the section; fails where nothing is."""
    file = {"system": "litellm", "environment": "dev", "account": "123456789012", "pipelines": pipelines}
    try:
        parse_settings(yaml.safe_dump(file), Path("dev.yaml"))
    except EnvironmentFileError as error:
        return [str(problem) for problem in error.problems]
    raise AssertionError("nothing was refused")


def test_a_service_connection_deploys_by_its_whole_subject_and_audience() -> None:
    azure, _ = trust("DeployRole")

    assert azure["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert azure["Principal"] == {"Federated": {"Fn::GetAtt": ["AzureDevOpsProvider", "Arn"]}}
    assert azure["Condition"] == {
        "StringEquals": {
            f"{VSTOKEN}:aud": "api://AzureADTokenExchange",
            f"{VSTOKEN}:sub": ["sc://contoso/AI Platform/aws-dev"],
        }
    }


def test_an_environment_of_a_repository_deploys_and_no_branch_of_it_does() -> None:
    _, github = trust("DeployRole")

    assert github["Condition"] == {
        "StringEquals": {
            f"{ACTIONS_TOKEN}:aud": "sts.amazonaws.com",
            f"{ACTIONS_TOKEN}:sub": ["repo:contoso/gateway:environment:production"],
        }
    }


def test_pull_requests_and_the_other_connection_only_plan() -> None:
    azure, github = trust("PlanRole")

    assert azure["Condition"]["StringEquals"][f"{VSTOKEN}:sub"] == [
        "sc://contoso/AI Platform/aws-dev-plan",
        "p://contoso/AI Platform/plan gateway",
    ]
    assert github["Condition"]["StringEquals"][f"{ACTIONS_TOKEN}:sub"] == [
        "repo:contoso/gateway:pull_request"
    ]


def test_a_repository_is_trusted_by_every_form_of_its_name_that_tokens_may_bear() -> None:
    both = {**GITHUB, "other_forms": ["contoso@1/gateway@2"]}
    _, deploys = trust("DeployRole", github=both)
    _, plans = trust("PlanRole", github=both)

    assert deploys["Condition"]["StringEquals"][f"{ACTIONS_TOKEN}:sub"] == [
        "repo:contoso/gateway:environment:production",
        "repo:contoso@1/gateway@2:environment:production",
    ]
    assert plans["Condition"]["StringEquals"][f"{ACTIONS_TOKEN}:sub"] == [
        "repo:contoso/gateway:pull_request",
        "repo:contoso@1/gateway@2:pull_request",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"github": {**GITHUB, "other_forms": ["contoso/gateway"]}}, "contoso/gateway stands twice"),
        (
            {"github": {**GITHUB, "repository": "a@1/b@2", "other_forms": ["a@1/b@3"]}},
            "a@1/b@3 has other numbers than a@1/b@2, so it is another repository",
        ),
        ({"session_hours": 1, "strategy": 31}, "a blue_green deployment waits 31 minutes and wants 32 more"),
        (
            {"environment": "abcdefghijklmno-", "deploys": ["*-litellm"]},
            "name abcdefghijklmnop-litellm itself",
        ),
    ],
    ids=["twice", "another repository", "a session that ends before", "a name that is cut"],
)
def test_what_could_not_work_is_refused_when_the_file_is_read(given: dict[str, Any], words: str) -> None:
    pipelines = {**PIPELINES, **given}
    environment = "abcdefghijklmnop" if pipelines.pop("environment", None) else "dev"
    minutes = pipelines.pop("strategy", None)
    shifting = {"deployment_strategy": "blue_green", "bake_minutes": minutes}
    file = {"system": "litellm", "environment": environment, "pipelines": pipelines}
    file |= {"service": shifting, "deployment": {"timeout_minutes": {"service": 120}}} if minutes else {}

    with pytest.raises(EnvironmentFileError, match=re.escape(words)):
        parse_settings(yaml.safe_dump(file), Path("x.yaml"))


def test_a_branch_may_plan_before_anybody_has_approved() -> None:
    _, github = trust("PlanRole", github={**GITHUB, "plan_branches": ["main"]})

    assert github["Condition"]["StringEquals"][f"{ACTIONS_TOKEN}:sub"] == [
        "repo:contoso/gateway:pull_request",
        "repo:contoso/gateway:ref:refs/heads/main",
    ]


def test_without_anybody_who_only_plans_there_is_no_role_for_it() -> None:
    azure = {**AZURE, "plan_service_connection": None, "plan_pipelines": []}
    stack = build(world("dev", azure_devops=azure, github=None))

    assert list(resources(stack, "AWS::IAM::Role")) == ["DeployRole"]
    assert "PlanRoleArn" not in template(stack)["Outputs"]


def test_nothing_in_trust_is_a_pattern() -> None:
    for role in ("DeployRole", "PlanRole"):
        for statement in trust(role):
            assert statement["Condition"].keys() == {"StringEquals"}
            assert "*" not in json.dumps(statement["Condition"])


def test_a_provider_that_the_account_has_is_taken() -> None:
    arn = f"arn:aws:iam::123456789012:oidc-provider/{ACTIONS_TOKEN}"
    stack = build(world("dev", github={**GITHUB, "provider_arn": arn}))

    assert list(resources(stack, "AWS::IAM::OIDCProvider")) == ["AzureDevOpsProvider"]
    _, github = properties(stack, "DeployRole")["AssumeRolePolicyDocument"]["Statement"]
    assert github["Principal"] == {"Federated": arn}


def test_a_session_lasts_longer_than_a_first_deployment() -> None:
    assert properties(build(world("dev")), "DeployRole")["MaxSessionDuration"] == 4 * 3600
    assert properties(build(world("dev", session_hours=2)), "DeployRole")["MaxSessionDuration"] == 2 * 3600


def test_the_artifacts_are_private_encrypted_versioned_and_forgotten() -> None:
    stack = build(world("dev"))

    bucket = only(stack, "AWS::S3::Bucket")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket["Properties"]
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (90, {"NoncurrentDays": 90})
    (tls,) = only(stack, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert bucket["DeletionPolicy"] == "Retain"


def test_somebody_elses_boundary_takes_the_place_of_ours() -> None:
    arn = "arn:aws:iam::123456789012:policy/company-boundary"
    settings = world("prod", permissions_boundary=arn)

    assert "Boundary" not in template(build(settings))["Resources"]
    roles = [
        entry["Properties"]["PermissionsBoundary"]
        for spec in render(settings).stacks
        for entry in json.loads(spec.template)["Resources"].values()
        if entry["Type"] == "AWS::IAM::Role"
    ]
    assert set(roles) == {arn}


@pytest.mark.parametrize("name", SHIPPED)
def test_an_environment_without_pipelines_has_roles_without_a_boundary(name: str) -> None:
    settings = load(ENVIRONMENTS / f"{name}.yaml")

    assert not settings.pipelines.configured
    assert all("PermissionsBoundary" not in spec.template for spec in render(settings).stacks)


def test_the_stack_is_the_accounts_and_no_environments() -> None:
    manifest = render_bootstrap(world("dev"))

    (spec,) = manifest.stacks
    assert spec.stack_name == "gatestack-bootstrap"
    assert spec.termination_protection
    assert spec.tags.items() >= {"System": "bootstrap", "ManagedBy": "gatestack"}.items()
    assert "ImportValue" not in spec.template


def test_two_environments_that_say_the_same_make_the_same() -> None:
    deploys = ["dev-litellm", "prod-litellm"]

    dev, prod = (render_bootstrap(world(name, deploys=deploys)) for name in ("dev", "prod"))

    zones = ("Z0123456789ABCDEFGHIJ",)  # prod changes its own DNS zone as well
    assert all(zone in prod.stacks[0].template for zone in zones)
    assert json.loads(dev.stacks[0].template)["Outputs"] == json.loads(prod.stacks[0].template)["Outputs"]


@pytest.mark.parametrize("deploys", [pytest.param([], marks=pytest.mark.deep), ["*-litellm", "dev-litellm"]])
def test_cfn_lint_has_nothing_against_it(deploys: list[str]) -> None:
    assert check(render_bootstrap(world("dev", deploys=deploys))) == ()


def test_whoever_trusts_nobody_is_told_whom_to_name() -> None:
    (azure,) = refused(azure_devops={**AZURE, "service_connection": None})
    assert azure == (
        "pipelines.azure_devops: nobody may deploy; add service_connection, with approvals and branch "
        "control as its checks"
    )
    (github,) = refused(github={"repository": "contoso/gateway"})
    assert github == (
        "pipelines.github: nobody may deploy; add environments, with required reviewers as their protection"
    )


@pytest.mark.parametrize("name", ["aws-dev", "AWS-Dev"])
def test_planning_by_the_connection_that_deploys_is_refused(name: str) -> None:
    (said,) = refused(azure_devops={**AZURE, "plan_service_connection": name})

    assert said.startswith("pipelines.azure_devops.plan_service_connection: is the connection that deploys")


@pytest.mark.parametrize(
    "subject",
    [
        "p://contoso/AI Platform/deploy gateway",
        "sc://contoso/AI Platform/*",
        "sc://contoso/AI Platform",
        "repo:contoso/gateway:pull_request",
        "repo:contoso/gateway:ref:refs/heads/main",
        "repo:contoso/gateway:ref:refs/heads/*",
        "repo:contoso/gateway:ref:refs/tags/v1",
        "repo:contoso/gateway:environment:*",
        "repo:contoso/gateway:*",
        "repo:contoso/*:environment:production",
        "repo:contoso/gateway",
        "*",
        "",
    ],
)
def test_a_subject_that_binds_to_no_approval_is_told_from_one_that_does(subject: str) -> None:
    assert not binds_to_approval(subject)


def test_every_subject_that_deploys_binds_to_an_approval() -> None:
    numbered = {**GITHUB, "repository": "contoso@12/gateway@34", "environments": ["production", "eu/prod"]}
    subjects = [one for trust in trusted(world("dev", github=numbered)) for one in trust.deploy]

    assert len(subjects) == 3
    assert all(binds_to_approval(one) for one in subjects)


@pytest.mark.parametrize(
    ("pipelines", "key", "instead"),
    [
        ({"azure_devops": {**AZURE, "pipelines": ["p"]}}, "azure_devops.pipelines", "plan_pipelines"),
        (
            {"azure_devops": {**AZURE, "service_connection": None, "pipelines": ["p"]}},
            "azure_devops.pipelines",
            "write service_connection for who deploys",
        ),
        (
            {"github": {**GITHUB, "branches": ["main"]}},
            "github.branches",
            "write environments for who deploys",
        ),
    ],
)
def test_whoever_would_deploy_without_an_approval_is_refused_and_told_what_to_write(
    pipelines: dict[str, Any], key: str, instead: str
) -> None:
    (said,) = refused(**pipelines)

    assert said.startswith(f"pipelines.{key}: ")
    assert instead in said


@pytest.mark.parametrize(
    ("azure", "said"),
    [
        ({"organization_id": "contoso"}, "'contoso' is not a GUID in lower case"),
        ({"organization": "https://dev.azure.com/contoso"}, "without https://dev.azure.com/"),
        ({"service_connection": "aws-*"}, "without wildcards"),
        ({"project": "a/b"}, "without wildcards, slashes"),
    ],
)
def test_a_name_that_would_trust_others_or_nobody_is_refused(azure: dict[str, str], said: str) -> None:
    (found,) = refused(azure_devops={**AZURE, **azure})

    assert said in found


@pytest.mark.parametrize(
    ("github", "said"),
    [
        ({"repository": "gateway"}, "a repository of GitHub, owner/name"),
        ({"environments": ["prod*"]}, "no wildcard"),
        ({"plan_branches": ["*"]}, "no wildcard"),
        (
            {"provider_arn": f"arn:aws:iam::123456789012:oidc-provider/{VSTOKEN}"},
            f"is not the provider of {ACTIONS_TOKEN}",
        ),
        (
            {"provider_arn": f"arn:aws:iam::210987654321:oidc-provider/{ACTIONS_TOKEN}"},
            "it belongs to account 210987654321",
        ),
    ],
)
def test_a_repository_that_cannot_be_meant_is_refused(github: dict[str, Any], said: str) -> None:
    (found,) = refused(github={**GITHUB, **github})

    assert said in found


@pytest.mark.parametrize(
    ("deploys", "said"),
    [
        (["prod-litellm"], "the role could not deploy dev-litellm itself; add it"),
        (["dev-litellm", "dev-litellm"], "dev-litellm stands twice"),
        (["dev-litellm", "*-llm-proxy", "*-llm-testing"], "3 entries; 2 at most"),
        (["*"], "is not an environment and its system"),
        (["dev-payroll"], "is not an environment and its system"),
    ],
)
def test_a_reach_that_cannot_be_meant_is_refused(deploys: list[str], said: str) -> None:
    assert any(said in one for one in refused(**PIPELINES, deploys=deploys))
