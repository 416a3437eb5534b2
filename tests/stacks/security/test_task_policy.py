"""What the file lets the application do in AWS: what is refused, what the roles and the boundary hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from generator.rights import rights
from stacks import bootstrap, security, service
from stacks.calls.grants import characters
from stacks.calls.reading import grants
from stacks.checking.advice import advice
from stacks.checking.tasks import iam_actions
from stacks.checking.tasks.task_policy import OWN_CHARACTERS
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.stacks.finders import properties

READ: dict[str, Any] = {
    "sid": "ReadPrompts",
    "actions": ["s3:GetObject"],
    "resources": ["arn:aws:s3:::team-prompts/*"],
}
MANAGED = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
GITHUB = {"github": {"repository": "acme/gateway", "environments": ["dev"]}}
GROUPS = [f"sg-0000000{number}" for number in range(5)]


def settings(*statements: dict[str, Any], pipelines: dict[str, Any] | None = None, **keys: Any) -> Settings:
    whole = {
        "system": "litellm",
        "environment": "dev",
        "service": {**keys, "task_policy": list(statements)},
        "pipelines": pipelines or {},
    }
    return parse_settings(yaml.safe_dump(whole), Path("dev.yaml"))


def refused(*statements: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        settings(*statements, **more)
    return [f"{one.key}: {one.message}" for one in caught.value.problems]


def test_a_statement_is_a_policy_of_its_own_beside_gatestacks() -> None:
    when = {"StringEquals": {"aws:ResourceAccount": "123456789012"}}
    role = properties(security.build(settings(READ | {"conditions": when})), "TaskRole")
    plain = properties(security.build(settings()), "TaskRole")

    assert role["Policies"][:-1] == plain["Policies"]
    assert role["Policies"][-1]["PolicyDocument"]["Statement"] == [
        {
            "Sid": "ReadPrompts",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::team-prompts/*"],
            "Condition": when,
        }
    ]
    assert "ManagedPolicyArns" not in plain


def test_a_role_without_a_policy_gets_one() -> None:
    whole = {
        "system": "llm-proxy",
        "environment": "dev",
        "service": {"task_policy": [READ], "managed_policies": [MANAGED]},
    }
    built = security.build(parse_settings(yaml.safe_dump(whole), Path("dev.yaml")))
    role = properties(built, "TaskRole")

    assert [one["PolicyName"] for one in role["Policies"]] == ["FromEnvironmentFile"]
    assert role["ManagedPolicyArns"] == [MANAGED]


def test_groups_are_added_to_the_tasks_own() -> None:
    found = properties(service.build(settings(security_group_ids=GROUPS[:4])), "Service")
    worn = found["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]

    assert worn[1:] == GROUPS[:4]
    assert refused(security_group_ids=GROUPS)[0].endswith(
        "the list has 5 security groups; AWS takes 4 beside gatestack's own"
    )


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"actions": ["s3:GetObjekt"]}, "actions[0]: s3 has no action GetObjekt; did you mean s3:getobject?"),
    ({"actions": ["s4:GetObject"]}, "actions[0]: IAM knows no service s4"),
    ({"actions": ["s3:Got*"]}, "actions[0]: s3 has no action Got*"),
    ({"actions": ["GetObject"]}, "actions[0]: 'GetObject' is not an action of IAM's"),
    ({"actions": []}, "actions: the list is empty"),
    ({"actions": ["*"]}, "actions[0]: * on arn:aws:s3:::team-prompts/*; name the actions, or say why"),
    ({"actions": ["s3:*"], "resources": ["*"]}, "actions[0]: s3:* on *; name the actions, or say why"),
    ({"actions": ["s3:Get?bject"], "resources": ["*"]}, "actions[0]: s3:Get?bject on *"),
    ({"resources": ["team-prompts"]}, "resources[0]: 'team-prompts' is not an ARN"),
    ({"conditions": {"StringEqual5": "x"}}, "conditions.StringEqual5: expected keys"),
    ({"conditions": {"Equals": {"a": "b"}}}, "conditions.Equals: IAM knows no operator Equals"),
    ({"sid": "read prompts"}, "sid: 'read prompts' is not a statement's sid"),
    ({"NotAction": ["s3:*"]}, "NotAction: unknown key"),
    ({"not_resources": ["*"]}, "not_resources: unknown key"),
    ({"resources": ["{{resolve:ssm:x}}"]}, "resources[0]: "),
)


@pytest.mark.parametrize(("said", "problem"), WRONG, ids=lambda value: str(value)[:40])
def test_what_allows_nothing_or_too_much_is_refused(said: dict[str, Any], problem: str) -> None:
    found = refused(READ | said)

    assert any(one.startswith(f"service.task_policy[0].{problem}") for one in found), found


def test_a_reason_or_a_denial_lets_wildcards_through() -> None:
    wide = READ | {"actions": ["s3:*"], "resources": ["*"]}

    assert settings(wide | {"reason": "the team's own account"})
    assert settings(wide | {"effect": "Deny"})


def test_a_sid_and_a_policy_stand_once() -> None:
    assert "ReadPrompts stands twice" in refused(READ, READ)[0]
    assert f"{MANAGED} stands twice" in refused(managed_policies=[MANAGED, MANAGED])[0]
    many = [f"{MANAGED}{number}" for number in range(11)]
    assert "the list has 11 managed policies" in refused(managed_policies=many)[0]


def test_the_room_of_the_roles_policies_is_counted() -> None:
    long = [READ | {"sid": f"S{one}", "resources": [f"arn:aws:s3:::{'x' * 900}/*"]} for one in range(9)]
    (said,) = refused(*long)

    assert "room for 8640 beside gatestack's own" in said
    assert settings(*long[:8])
    (said,) = refused(*long[:3], pipelines=GITHUB)
    assert "the boundary that bootstrap makes has room for 1500" in said


def test_the_room_that_is_counted_is_there() -> None:
    """With all that gatestack's own statements may be."""
    models = [f"us.anthropic.claude-{'x' * 20}-{number}" for number in range(32)]
    whole = {
        "system": "litellm",
        "environment": "e" * 16,
        "region": "ap-southeast-2",
        "cache": {"enabled": True},
        "observability": {"xray": True, "collector": "otel"},
        "database": {"iam_authentication": True},
        "service": {"providers": ["bedrock"], "bedrock_models": models, "execute_command": True},
    }
    made = parse_settings(yaml.safe_dump(whole), Path("dev.yaml"))
    policies = properties(security.build(made), "TaskRole")["Policies"]
    text = json.dumps([one["PolicyDocument"] for one in policies], separators=(",", ":"))
    filled = text.replace("${AWS::AccountId}", "1" * 12).replace("${AWS::Partition}", "aws-us-gov")

    called = characters(grants(made), "aws-us-gov")
    assert called < 8_000
    assert len(filled.replace('{"Fn::Sub":', "")) <= OWN_CHARACTERS + called


def test_the_boundary_of_bootstrap_takes_up_what_the_file_allows() -> None:
    denied = READ | {"sid": "Never", "effect": "Deny"}
    stack = bootstrap.build(settings(READ, denied, managed_policies=[MANAGED], pipelines=GITHUB))
    boundary = properties(stack, "Boundary")["PolicyDocument"]["Statement"]

    assert [one["Sid"] for one in boundary if one["Sid"] in {"ReadPrompts", "Never"}] == ["ReadPrompts"]
    roles = json.dumps(properties(stack, "RolesAndWatchingPolicy"))
    assert MANAGED in roles
    assert len(json.dumps(boundary, separators=(",", ":"))) < 6_144


def test_the_advice_says_what_a_boundary_keeps_back() -> None:
    said = advice(settings(READ, managed_policies=[MANAGED], pipelines=GITHUB))
    assert any(
        "service.managed_policies: the tasks' role is limited by the boundary gatestack" in one
        for one in said
    )

    other = GITHUB | {"permissions_boundary": "arn:aws:iam::123456789012:policy/limits"}
    assert any(
        "service.task_policy: only what the boundary" in one
        for one in advice(settings(READ, pipelines=other))
    )
    admin = settings(managed_policies=["arn:aws:iam::aws:policy/AdministratorAccess"])
    assert any("AdministratorAccess: who gets into a task" in one for one in advice(admin))
    wide = settings(READ | {"resources": ["*"]})
    assert any("ReadPrompts: s3:GetObject on every resource" in one for one in advice(wide))


def test_the_table_of_rights_has_what_the_file_adds_and_nothing_else() -> None:
    assert rights(render(settings())) == ()
    assert rights(render(settings(READ, managed_policies=[MANAGED]))) == (
        ("security/TaskRole", "ReadPrompts", "Allow", "s3:GetObject", "arn:aws:s3:::team-prompts/*", ""),
        ("security/TaskRole", "managed policy", "", MANAGED, "", ""),
    )


@pytest.mark.parametrize(
    "action", ["S3:GetObject", "s3:getobject", "bedrock:Invoke*", "ec2:Describe?pcs", "*"]
)
def test_actions_are_known_as_iam_knows_them(action: str) -> None:
    assert iam_actions.objection(action.replace("S3", "s3")) is None
