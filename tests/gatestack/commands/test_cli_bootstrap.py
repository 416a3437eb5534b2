"""`gatestack bootstrap` as a user runs it, against the sandbox."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import yaml

from sandbox.server import Sandbox
from tests.command import LOGIN, User
from tests.sandbox.sandbox_account import client
from tests.stacks.bootstrap.iam_worlds import AZURE, GITHUB

STACK = "gatestack-bootstrap"
DEPLOY = "arn:aws:iam::123456789012:role/gatestack-deploy-us-east-1"
PLAN = "arn:aws:iam::123456789012:role/gatestack-plan-us-east-1"


def write(user: User, name: str, environment: str = "dev", **pipelines: Any) -> None:
    file = {"system": "litellm", "environment": environment, "pipelines": pipelines}
    (user.folder / "environments" / f"{name}.yaml").write_text(yaml.safe_dump(file))


def test_a_pipeline_is_let_in_once_and_told_where_to_enter_what(user: User, sandbox: Sandbox) -> None:
    write(user, "ci", azure_devops=AZURE, github=GITHUB)

    done = user.run("bootstrap", "ci", "--yes", "--format", "json")

    assert done.code == 0, done.err
    outputs = json.loads(done.out)["outputs"]
    assert DEPLOY in json.dumps(outputs)
    assert f"Azure DevOps, service connection aws-dev (AWS, OIDC): {DEPLOY}" in done.err
    assert f"GitHub, environment production: AWS_ROLE_ARN = {DEPLOY}" in done.err
    assert f"Azure DevOps, variable group gatestack-ci: AWS_DEPLOY_ROLE_ARN = {DEPLOY}" in done.err
    assert f"Azure DevOps, variable group gatestack-ci: AWS_PLAN_ROLE_ARN = {PLAN}" in done.err
    iam = client(sandbox, "iam")
    assert iam.get_role(RoleName="gatestack-deploy-us-east-1")["Role"]["MaxSessionDuration"] == 14400
    assert len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]) == 2
    boundary = "arn:aws:iam::123456789012:policy/gatestack-boundary-us-east-1"
    assert iam.get_policy(PolicyArn=boundary)["Policy"]["DefaultVersionId"] == "v1"

    again = user.run("bootstrap", "ci", "--yes")

    assert again.code == 0, again.err
    assert "gatestack: nothing changes" in again.err


def test_stacks_that_a_pipeline_deploys_have_bounded_roles(user: User, sandbox: Sandbox) -> None:
    write(user, "ci", azure_devops=AZURE)
    assert user.run("bootstrap", "ci", "--yes").code == 0

    done = user.run("deploy", "ci", "--yes", "--only", "security")

    assert done.code == 0, done.err
    iam = client(sandbox, "iam")
    roles = [
        one["RoleName"] for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("dev-litellm-")
    ]
    bounds = {
        iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] for name in roles
    }
    assert len(roles) == 2
    assert bounds == {"arn:aws:iam::123456789012:policy/gatestack-boundary-us-east-1"}


def test_whom_another_environment_let_in_is_not_forgotten(user: User) -> None:
    both = {"azure_devops": AZURE, "deploys": ["dev-litellm", "prod-litellm"]}
    write(user, "ci", **both)
    write(user, "alone", azure_devops={**AZURE, "service_connection": "aws-other"})
    assert user.run("bootstrap", "ci", "--yes").code == 0

    refused = user.run("bootstrap", "alone", "--yes")

    assert refused.code == 4, refused.err
    assert "deploy sc://contoso/AI Platform/aws-dev\n" in refused.err
    assert "  prod-litellm\n" in refused.err
    narrowed = user.run("bootstrap", "alone", "--yes", "--narrow")
    assert narrowed.code == 0, narrowed.err
    assert "bootstrap.Deploys              dev-litellm\n" in narrowed.out


@pytest.mark.parametrize(
    ("pipelines", "instead"),
    [
        ({"azure_devops": {**AZURE, "pipelines": ["gatestack-environment"]}}, "write service_connection"),
        ({"github": {**GITHUB, "branches": ["main"]}}, "write environments"),
        ({"github": {**GITHUB, "environments": ["*"]}}, "no wildcard"),
    ],
)
def test_a_role_that_a_pull_request_could_take_is_refused_before_anything_is_asked(
    user: User, sandbox: Sandbox, pipelines: dict[str, Any], instead: str
) -> None:
    write(user, "ci", **pipelines)

    done = user.run("bootstrap", "ci", "--yes")

    assert done.code == 2, done.err
    assert instead in done.err
    assert sandbox.calls == []


def test_an_earlier_stack_that_lets_pipelines_deploy_by_name_loses_that_as_the_message_says(
    user: User, sandbox: Sandbox
) -> None:
    write(user, "ci", azure_devops=AZURE, github=GITHUB)
    assert user.run("bootstrap", "ci", "--yes").code == 0
    earlier = _as_it_was(sandbox, "deploy p://contoso/AI Platform/gatestack-environment")

    refused = user.run("bootstrap", "ci", "--yes")

    assert refused.code == 4, refused.err
    assert "lets these deploy without an approval" in refused.err
    assert "deploy p://contoso/AI Platform/gatestack-environment" in refused.err
    assert "plan_pipelines" in refused.err
    done = user.run("bootstrap", "ci", "--yes", "--narrow")
    assert done.code == 0, done.err
    assert earlier != _trusts(sandbox)
    assert "p://contoso/AI Platform/gatestack-environment" not in _trusts(sandbox)


def _trusts(sandbox: Sandbox) -> str:
    stack = client(sandbox, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return next(str(one["OutputValue"]) for one in stack["Outputs"] if one["OutputKey"] == "Trusts")


def _as_it_was(sandbox: Sandbox, subject: str) -> str:
    """Let the live stack say that it also trusts *subject*, as one of an earlier release does."""
    cloud = client(sandbox, "cloudformation")
    template = cloud.get_template(StackName=STACK)["TemplateBody"]
    whole = template if isinstance(template, dict) else json.loads(template)
    whole["Outputs"]["Trusts"]["Value"] += f" | {subject}"
    files = client(sandbox, "s3")
    files.create_bucket(Bucket="earlier")
    files.put_object(Bucket="earlier", Key="template", Body=json.dumps(whole).encode())
    made = cloud.create_change_set(
        StackName=STACK,
        ChangeSetName="earlier",
        TemplateURL=f"{sandbox.endpoint}/earlier/template",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloud.get_waiter("change_set_create_complete").wait(
        ChangeSetName=made["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    cloud.execute_change_set(ChangeSetName=made["Id"])
    cloud.get_waiter("stack_update_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return _trusts(sandbox)


def test_the_template_can_be_read_before_anything_is_made(user: User, sandbox: Sandbox) -> None:
    write(user, "ci", github=GITHUB)

    done = user.run("bootstrap", "ci", "--print-template")

    assert done.code == 0, done.err
    resources = json.loads(done.out)["Resources"]
    assert {"DeployRole", "PlanRole", "Boundary", "GitHubProvider"} <= resources.keys()
    assert sandbox.calls == []


@pytest.mark.parametrize("name", ["dev", "local"])
def test_an_environment_that_trusts_nobody_is_refused_before_anything_is_asked(
    user: User, sandbox: Sandbox, name: str
) -> None:
    done = user.run("bootstrap", name, "--yes")

    assert done.code == 2
    assert f"{name}: its file lets no pipeline deploy. Add pipelines.azure_devops" in done.err
    assert sandbox.calls == []


def test_a_rendered_folder_is_refused(user: User) -> None:
    assert user.run("generate", "dev").code == 0

    done = user.run("bootstrap", "build/dev", "--yes")

    assert done.code == 2
    assert "give bootstrap the environment's file" in done.err


def test_nobody_is_asked_where_nobody_sits(user: User, sandbox: Sandbox) -> None:
    write(user, "ci", github=GITHUB)

    done = user.run("bootstrap", "ci")

    assert done.code == 4
    assert "give --yes (see what it creates with --print-template first)" in done.err
    assert sandbox.calls == []


def test_what_is_shown_and_agreed_to_is_what_is_made(user: User) -> None:
    write(user, "ci", github=GITHUB)

    no = user.at_a_terminal("n\n", "bootstrap", "ci")
    yes = user.at_a_terminal("y\n", "bootstrap", "ci")

    assert no.code == 4, no.err
    assert "DeployRole" in yes.err
    assert "Deploy this to the account, for pipelines in us-east-1?" in yes.err
    assert yes.code == 0, yes.err


def test_another_account_than_the_files_is_refused(tmp_path: Any, sandbox: Sandbox) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL=sandbox.endpoint, **LOGIN)
    path = user.folder / "environments" / "ci.yaml"
    file = {
        "system": "litellm",
        "environment": "dev",
        "account": "210987654321",
        "pipelines": {"github": GITHUB},
    }
    path.write_text(yaml.safe_dump(file))

    done = user.run("bootstrap", "ci", "--yes")

    assert done.code == 2
    assert "account 123456789012" in done.err


def test_what_own_stacks_hold_is_named_and_granted_as_the_message_says(user: User, sandbox: Sandbox) -> None:
    write(user, "ci", azure_devops=AZURE)
    file = user.folder / "environments" / "ci.yaml"
    file.write_text(file.read_text() + "extend: {stacks: [{name: extras, template: extras.yaml}]}\n")
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}, "Topic": {"Type": "AWS::SNS::Topic"}}
    (file.parent / "extras.yaml").write_text(json.dumps({"Resources": resources}))

    done = user.run("bootstrap", "ci", "--yes")

    assert done.code == 0, done.err
    what = "extras: the deploy role is not given what AWS::SQS::Queue takes: sqs:CreateQueue, sqs:DeleteQueue"
    assert what in done.err
    assert "AWS::SNS::Topic" not in done.err
    iam = client(sandbox, "iam")

    def decision() -> str:
        asked = iam.simulate_principal_policy(PolicySourceArn=DEPLOY, ActionNames=["sqs:CreateQueue"])
        return str(asked["EvaluationResults"][0]["EvalDecision"])

    assert decision() == "implicitDeny"
    command = next(line for line in done.err.splitlines() if "aws iam put-role-policy" in line)
    words = shlex.split(command[command.index("aws iam") :])
    iam.put_role_policy(**{option: words[words.index(f"--{flag}") + 1] for option, flag in OPTIONS.items()})
    assert decision() == "allowed"


OPTIONS = {"RoleName": "role-name", "PolicyName": "policy-name", "PolicyDocument": "policy-document"}


def test_roles_of_own_stacks_have_the_boundary_too(user: User) -> None:
    write(user, "ci", azure_devops=AZURE)
    file = user.folder / "environments" / "ci.yaml"
    file.write_text(file.read_text() + "extend: {stacks: [{name: extras, template: extras.yaml}]}\n")
    own, theirs = (
        {"Type": "AWS::IAM::Role"},
        {"Type": "AWS::IAM::User", "Properties": {"PermissionsBoundary": "x"}},
    )
    (file.parent / "extras.yaml").write_text(json.dumps({"Resources": {"A": own, "B": theirs}}))

    assert user.run("generate", "ci", "--out", "built").code == 0

    made = json.loads((user.folder / "built" / "extras.json").read_text())["Resources"]
    boundary = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/gatestack-boundary-${AWS::Region}"
    assert made["A"]["Properties"]["PermissionsBoundary"] == {"Fn::Sub": boundary}
    assert made["B"]["Properties"]["PermissionsBoundary"] == "x"
