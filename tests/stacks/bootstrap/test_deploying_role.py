"""Every shipped environment, deployed, changed and destroyed by the role of `bootstrap`, which is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from generator.render import render
from sandbox.clock import ManualClock, RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from stacks.bootstrap import build
from tests.command import KEY, LOGIN, User
from tests.conftest import FAST
from tests.sandbox.sandbox_account import client
from tests.stacks.bootstrap.iam_policies import documents_of
from tests.stacks.bootstrap.iam_worlds import PIPELINES, SHIPPED, world

HOURS = 300.0
"""Sandbox seconds in a real one: a session of an hour lasts 12 s."""
AWKWARD = {
    "zones": [
        {"name": "us-east-1a", "id": "use1-az3", "gaps": ["ecr.api", "databases"]},
        {"name": "us-east-1b", "id": "use1-az1", "default_subnet": False, "gaps": ["databases"]},
        {"name": "us-east-1c", "id": "use1-az2"},
        {"name": "us-east-1d", "id": "use1-az4", "default_subnet": False},
    ],
    "interfaces_linger": 900.0,
    "logs_return": 60.0,
}
"""An account whose first two zones offer no databases, in which only two have a default subnet."""
DEPLOY = "arn:aws:iam::123456789012:role/gatestack-deploy-{}"


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Give an account, fast where sessions do not end."""
    Services().reset()
    with Sandbox(clock=RealClock(request.param), key=KEY) as sandbox:
        sandbox.faults.add({"behaviour": AWKWARD | {"sessions_end": request.param == HOURS}})
        yield sandbox


def pipeline(folder: Path, sandbox: Sandbox, name: str, **pipelines: Any) -> User:
    """Have an administrator make the role for the environment *name*; return who has a token for it."""
    place = {"AWS_ENDPOINT_URL": sandbox.endpoint, "GATESTACK_POLL_INTERVAL": "0.02"}
    administrator = User.at(folder, **place, **LOGIN)
    file = folder / "environments" / f"{name}.yaml"
    settings = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(settings | {"pipelines": PIPELINES | pipelines}))
    made = administrator.run("bootstrap", name, "--yes")
    assert made.code == 0, made.err
    token = folder / "token"
    token.write_text(KEY.web_identity({"sub": "sc://contoso/AI Platform/aws-dev"}))
    role = {
        "AWS_ROLE_ARN": DEPLOY.format(settings.get("region", "us-east-1")),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
    }
    return User(folder, place | role)


@pytest.mark.parametrize(
    ("name", "running"),
    [("local", FAST), *(pytest.param(one, HOURS, marks=pytest.mark.deep) for one in SHIPPED)],
    indirect=["running"],
)
def test_the_role_deploys_changes_and_destroys_it(tmp_path: Path, running: Sandbox, name: str) -> None:
    """The deep run has sessions of an hour, several of which end on the way."""
    user = pipeline(tmp_path, running, name, session_hours=1)

    up = user.run("deploy", name, "--yes")
    assert up.code == 0, up.err
    running.finish()  # the first rotations, of which the next deployment takes no half
    file = tmp_path / "environments" / f"{name}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"tags": {"CostCenter": "4711"}}))
    changed = user.run("deploy", name, "--yes")
    assert changed.code == 0, changed.err
    assert "UPDATE_COMPLETE" in changed.err
    down = user.run("destroy", name, "--yes", "--force")
    assert down.code == 0, down.err


def test_the_key_is_made_by_its_own_policy_with_kms_s_check_on() -> None:
    """Without `BypassPolicyLockoutSafetyCheck`, whose effect nobody but KMS knows."""
    Services().reset()
    with Sandbox(clock=ManualClock(), key=KEY) as sandbox:
        settings = world("dev")
        (security,) = (one for one in render(settings).stacks if one.name == "security")
        template = json.loads(security.template)
        key = template["Resources"]["Key"]
        assert key["Properties"].pop("BypassPolicyLockoutSafetyCheck") is True
        alias = template["Resources"]["KeyAlias"]
        admin, iam = client(sandbox, "cloudformation"), client(sandbox, "iam")
        iam.create_role(RoleName="gatestack-deploy-us-east-1", AssumeRolePolicyDocument="{}")
        for number, document in enumerate(documents_of(build(settings), "DeployRole")):
            policy = {"PolicyName": f"p{number}", "PolicyDocument": json.dumps(document)}
            iam.put_role_policy(RoleName="gatestack-deploy-us-east-1", **policy)
        arn = DEPLOY.format("us-east-1")
        given = client(sandbox, "sts").assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
        asked = json.dumps({"Resources": {"Key": key, "KeyAlias": alias}})
        role = clients(sandbox, given)
        name = "gatestack-0123456789abcdef"
        role.create_change_set(
            StackName=security.stack_name,
            ChangeSetName=name,
            ChangeSetType="CREATE",
            TemplateBody=asked,
            Tags=[{"Key": tag, "Value": value} for tag, value in security.tags.items()],
        )
        sandbox.finish()
        role.execute_change_set(StackName=security.stack_name, ChangeSetName=name)
        sandbox.finish()

        (stack,) = admin.describe_stacks(StackName=security.stack_name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"


def clients(sandbox: Sandbox, given: Mapping[str, Any]) -> Any:
    """Return the CloudFormation client of a session."""
    make: Any = boto3.client
    return make(
        "cloudformation",
        region_name="us-east-1",
        endpoint_url=sandbox.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
