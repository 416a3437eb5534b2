"""`local act-as` as a user runs it: the roles of `bootstrap`, judged as they deploy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import yaml

from tests.command import User
from tests.gatestack.rehearsal.own_sandbox import started
from tests.stacks.bootstrap.iam_worlds import PIPELINES

ROLE = "gatestack-deploy-us-east-1"
ARN = f"arn:aws:iam::123456789012:role/{ROLE}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Give somebody whose sandbox has the roles for `dev`."""
    with started(tmp_path_factory.mktemp("acting"), GATESTACK_SANDBOX="1") as made:
        trust(made, "dev")
        yield made


@pytest.fixture
def user(running: User) -> Iterator[User]:
    yield running
    running.run("local", "reset")


def trust(user: User, name: str) -> None:
    """Have pipelines deploy the environment *name*, and their roles made."""
    file = user.folder / "environments" / f"{name}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"pipelines": PIPELINES}))
    done = user.run("bootstrap", name, "--yes", "--narrow")
    assert done.code == 0, done.err


def administrator(user: User, service: str) -> Any:
    """Return a client with the sandbox's own key."""
    status = json.loads(user.run("local", "status", "--format", "json").out)
    keys = {f"aws_{name}": status[name] for name in ("access_key_id", "secret_access_key")}
    make: Any = boto3.client
    return make(service, region_name="us-east-1", endpoint_url=status["endpoint"], **keys)


def test_the_deploy_role_deploys_changes_and_destroys_without_a_denial(user: User) -> None:
    done = user.run("local", "act-as", ROLE)
    line = f"act-as: calls are judged as those of {ARN}"
    assert (done.code, done.err) == (0, f"{line}\n")
    assert user.run("local", "status").out.splitlines()[-1] == line
    assert administrator(user, "sts").get_caller_identity()["Arn"].endswith(f":assumed-role/{ROLE}/gatestack")

    for arguments in (
        ("deploy", "dev", "--yes"),
        ("preflight", "dev"),
        ("destroy", "dev", "--yes", "--force"),
    ):
        done = user.run(*arguments)
        assert (done.code, "not authorized" in done.err) == (0, False), done.err
    assert user.run("local", "reset").err == f"off: {line}\n"
    assert "act-as" not in user.run("local", "status").out


@pytest.mark.deep
@pytest.mark.parametrize("name", ["local", "prod"])
def test_the_deploy_role_of_another_environment_deploys_it_too(user: User, name: str) -> None:
    trust(user, name)
    assert user.run("local", "act-as", ARN).code == 0
    for arguments in (("deploy", name, "--yes"), ("destroy", name, "--yes", "--force")):
        done = user.run(*arguments)
        assert (done.code, "not authorized" in done.err) == (0, False), done.err
    user.run("local", "reset")
    trust(user, "dev")


def test_without_one_permission_aws_s_message_and_the_remedy_are_told(user: User) -> None:
    denied = {"Effect": "Deny", "Action": "sns:CreateTopic", "Resource": "*"}
    iam, policy = administrator(user, "iam"), {"RoleName": ROLE, "PolicyName": "taken-out"}
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    try:
        assert user.run("local", "act-as", ROLE).code == 0
        done = user.run("deploy", "dev", "--yes", "--only", "security")
    finally:
        user.run("local", "reset")
        iam.delete_role_policy(**policy)
    who = f"User: arn:aws:sts::123456789012:assumed-role/{ROLE}/gatestack is not authorized to perform"
    said = f"{who}: sns:CreateTopic on resource: arn:aws:sns:us-east-1:123456789012:dev-litellm-alarms"
    assert done.code == 1, done.err
    assert f"{said} with an explicit deny in an identity-based policy" in done.err
    assert "take the action out of that statement" in done.err
    again = user.run("deploy", "dev", "--yes", "--only", "security")
    assert again.code == 0, again.err


def test_the_role_that_plans_may_not_deploy(user: User) -> None:
    assert user.run("local", "act-as", "gatestack-plan-us-east-1").code == 0
    done = user.run("deploy", "dev", "--yes", "--only", "network")
    assert done.code != 0
    assert "is not authorized to perform: cloudformation:" in done.err
    assert "because no identity-based policy allows the" in done.err


def test_a_role_that_is_not_there_is_refused_with_the_nearest(user: User) -> None:
    done = user.run("local", "act-as", "gatestack-deploy-us-east-2")
    assert (done.code, f"did you mean {ROLE}?" in done.err) == (2, True), done.err
    done = user.run("local", "act-as", "xyz")
    assert (done.code, f"{ROLE}, gatestack-plan-us-east-1" in done.err) == (2, True), done.err
