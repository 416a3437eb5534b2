"""What the commands themselves ask AWS for, as a sandbox hears it, is allowed, and little else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from deployer.aws.stores.conditions import QUESTIONS
from generator.render import render
from sandbox.access.handlers import ACTIONS, ARNS
from sandbox.access.policies import Document, Request, allowed, like
from sandbox.clock import RealClock
from sandbox.resources.schema import ProviderSchemas
from sandbox.server import Sandbox
from sandbox.services.services import Services
from stacks.bootstrap import build
from tests.command import KEY, LOGIN, User
from tests.conftest import FAST
from tests.stacks.bootstrap.iam_needs import needs
from tests.stacks.bootstrap.iam_policies import ACCOUNT, PARTITION, REGION, documents_of
from tests.stacks.bootstrap.iam_worlds import WORLDS, world
from tests.stacks.bootstrap.wire_recorder import Recorder

Heard = dict[str, frozenset[str]]

CHANGING = (
    ("deploy", "local", "--yes"),
    ("secret", "set", "local", "OPENAI_API_KEY"),
    ("secret", "get", "local", "OPENAI_API_KEY"),
    ("config", "set", "local", "log-level", "WARNING"),
    ("config", "get", "local", "log-level"),
    ("config", "list", "local"),
    ("rotate", "local", "database"),
    ("rollout", "local"),
    ("destroy", "local", "--yes"),
)
LOOKING = (
    ("status", "local"),
    ("outputs", "local"),
    ("events", "local"),
    ("drift", "local"),
    ("plan", "local", "--drift"),
)

JUDGED = f"arn:{PARTITION}:iam::{ACCOUNT}:role/gatestack-deploy-{REGION}"
FORESEEING = frozenset({"iam:GetRole", "iam:SimulatePrincipalPolicy"})
"""What `preflight` asks about that role, whoever runs it."""
ELSEWHERE = {
    "cloudformation:ContinueUpdateRollback": "after a rollback that failed",
    "cloudformation:RollbackStack": "after a stack was left in the middle",
    "cloudformation:DetectStackResourceDrift": "DetectStackDrift asks for it (CloudFormation User Guide)",
    "cloudformation:DescribeEvents": "why a change set was refused",
    "cloudformation:TagResource": "CreateChangeSet with tags asks for it",
    "cloudformation:UntagResource": "a tag that is gone from the file",
    "cloudformation:ListStacks": "DescribeStacks of all stacks asks for it",
    "cloudformation:UpdateTerminationProtection": "stacks of production",
    "cloudformation:ListImports": "who uses an export that changes",
    "cloudformation:ListChangeSets": "what an interrupted run has left",
    "tag:GetResources": "what an earlier `destroy` of production has kept: test_kept_again.py",
    "ecr:BatchCheckLayerAvailability": "docker push",
    "ecr:BatchGetImage": "docker push, of an image's parts",
    "ecr:CompleteLayerUpload": "docker push",
    "ecr:DescribeImages": "is the image there",
    "ecr:GetAuthorizationToken": "docker login",
    "ecr:GetDownloadUrlForLayer": "docker push, of an image's parts",
    "ecr:InitiateLayerUpload": "docker push",
    "ecr:PutImage": "docker push",
    "ecr:UploadLayerPart": "docker push",
    "elasticloadbalancing:SetWebAcl": "what CloudFormation calls SetWebACL",
    "rds:DescribeOrderableDBInstanceOptions": "whether the region sells a new database's class",
    "rds:DeleteDBClusterSnapshot": "taken too many migrations ago: test_snapshot_before_migration.py",
    "rds:DeleteDBSnapshot": "the same of an instance",
    "route53:AssociateVPCWithHostedZone": "CreateVpcEndpoint with private DNS asks for it",
    "route53:ListHostedZonesByVPC": "whether a private zone knows an existing database",
    "secretsmanager:ListSecretVersionIds": "why a rotation failed",
    "sts:GetCallerIdentity": "where the file names an account",
    "secretsmanager:UpdateSecretVersionStage": "RotateSecret takes up a rotation that failed",
}
"""What neither a handler nor the commands of this test ask for -> who does."""


@pytest.fixture(scope="module")
def commands(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Heard]:
    """What each group of commands has asked for."""
    Services().reset()
    heard: Heard = {}
    folder = tmp_path_factory.mktemp("pipeline")
    with Sandbox(clock=RealClock(FAST), key=KEY) as sandbox, Recorder(sandbox.endpoint) as recorder:
        user = User.at(
            Path(folder), AWS_ENDPOINT_URL=recorder.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN
        )
        user.need_keys()
        _run(user, ("preflight", "local"))
        foreseen = recorder.actions.copy()
        recorder.actions.clear()
        _run(user, *CHANGING[:1])
        first = recorder.actions | foreseen
        recorder.actions.clear()
        _run(user, *LOOKING)
        recorder.actions |= foreseen
        heard["looking"] = frozenset(recorder.actions)
        recorder.actions.clear()
        _run(user, ("verify", "local"))
        heard["verify"] = frozenset(recorder.actions)
        recorder.actions |= heard["looking"]
        _run(user, *CHANGING[1:])
        heard["all"] = frozenset(recorder.actions | first)
        yield heard


def _run(user: User, *commands: tuple[str, ...]) -> None:
    for arguments in commands:
        done = user.run(*arguments, stdin="sk-of-openai\n")
        assert done.code in {0, 1, 3}, (arguments, done.err)
        assert "AccessDenied" not in done.err


def _refused(
    actions: frozenset[str], documents: list[Document], change_set: str = "gatestack-0123456789abcdef"
) -> list[str]:
    asked = [one for action in actions for one in _requests(action, change_set)]
    return sorted(str(one) for one in asked if not allowed(one, documents))


def _requests(action: str, change_set: str) -> Iterator[Request]:
    service = action.partition(":")[0]
    row = ACTIONS.get(action)
    assert row is not None or action == "ecs:ListTasks", f"{action} is not in service_authorization.json"
    kinds = (row or {}).get("required") or (row or {}).get("optional", [])[:1]
    tags = {"aws:ResourceTag/ManagedBy": "gatestack", "aws:ResourceTag/Environment": "local"}
    context = {
        **tags,
        "aws:ResourceTag/System": "litellm",
        "aws:ResourceAccount": ACCOUNT,
        "ecs:cluster": f"arn:{PARTITION}:ecs:{REGION}:{ACCOUNT}:cluster/local-litellm",
        "cloudformation:ChangeSetName": change_set,
    }
    for kind in kinds:
        arn = JUDGED if action in FORESEEING else _arn(f"{service}:{kind}")
        yield Request(action, arn, context)
    if not kinds:
        yield Request(action, "*", context)


def _arn(kind: str) -> str:
    prefix = "local-litellm"
    names = {
        "cloudformation:stack": f"{prefix}-network",
        "ecs:task-definition": f"{prefix}-migration",
        "secretsmanager:Secret": f"{prefix}/api-keys",
        "lambda:function": f"{prefix}-database-rotation",
        "logs:log-group": f"/ecs/{prefix}-proxy",
        "s3:bucket": f"{prefix}-security-configbucket-abc",
        "s3:object": f"{prefix}-security-configbucket-abc",
        "ssm:parameter": f"{prefix}/log-level",
        "ecr:repository": prefix,
        "rds:db": f"{prefix}-db",
        "rds:cluster": f"{prefix}-aurora",
        "elasticloadbalancing:loadbalancer/app/": prefix,
    }
    text = ARNS[kind]
    for place, value in (("Partition", PARTITION), ("Region", REGION), ("Account", ACCOUNT)):
        text = text.replace(f"${{{place}}}", value)
    first, *rest = text.split("${", 1)
    if not rest:
        return text
    behind = rest[0].partition("}")[2]
    return first + names.get(kind, prefix) + like_id(behind)


def like_id(text: str) -> str:
    """Return *text* with an id in each of its places."""
    while "${" in text:
        before, _, after = text.partition("${")
        text = f"{before}0123456789abcdef{after.partition('}')[2]}"
    return text


def test_the_deploy_role_may_do_what_the_commands_ask_for(
    commands: Heard,
) -> None:
    assert len(commands["all"]) > 30
    assert _refused(commands["all"], documents_of(build(world("local")), "DeployRole")) == []


def test_the_plan_role_may_do_what_looking_asks_for(
    commands: Heard,
) -> None:
    plan_role = documents_of(build(world("local")), "PlanRole")

    assert _refused(commands["looking"], plan_role, "gatestack-plan-1") == []
    every_stack = Request("cloudformation:DescribeStacks", "*")
    assert not allowed(every_stack, plan_role), "outputs and parameters of other teams' stacks"


@pytest.mark.parametrize("role", ["DeployRole", "PlanRole"])
def test_both_roles_read_where_notifications_go_and_no_other_path(role: str) -> None:
    """A SecureString under AWS's own key, whose policy lets whoever may read the parameter decrypt it."""
    documents = documents_of(build(world("local")), role)
    names = ("local-litellm/slack-webhook", "other/slack-webhook")

    assert [
        allowed(
            Request("ssm:GetParameter", f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/{name}"), documents
        )
        for name in names
    ] == [True, False]


def test_verifying_asks_the_plan_role_for_nothing_else_but_what_stands_in_secrets(commands: Heard) -> None:
    plan_role = documents_of(build(world("local")), "PlanRole")

    assert {one.partition(" ")[0] for one in _refused(commands["verify"], plan_role)} == {
        "secretsmanager:GetSecretValue"
    }


def test_nothing_is_allowed_that_nobody_asks_for(
    commands: Heard,
) -> None:
    schemas = ProviderSchemas()
    asked = {one.action for name in WORLDS for one in needs(render(world(name)), schemas)} | commands["all"]
    asked |= set(ELSEWHERE)
    granted = {
        action
        for name in ("dev", "guest")
        for document in documents_of(build(world(name)), "DeployRole")
        for statement in document["Statement"]
        for action in statement["Action"]
    }

    assert sorted(one for one in granted if not any(like(one).fullmatch(action) for action in asked)) == []


def _action(question: Any) -> str:
    client = Session().create_client(question.service, region_name=REGION)
    return str(client.meta.method_to_api_mapping[question.method])


def test_the_deploy_role_may_see_whether_resources_are_ready() -> None:
    """What express mode asks of each service in CloudFormation's place."""
    documents = documents_of(build(world("local")), "DeployRole")
    names = {"elbv2": "elasticloadbalancing"}
    asked = [f"{names.get(one.service, one.service)}:{_action(one)}" for one in QUESTIONS.values()]
    service = f"arn:{PARTITION}:ecs:{REGION}:{ACCOUNT}:service/local-litellm/local-litellm"

    refused = [one for one in asked if not allowed(Request(one, "*"), documents)]
    assert (refused, allowed(Request("ecs:DescribeServices", service), documents)) == ([], True)
