"""The commands with an environment that has containers, rights and groups of its file's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client

ROLE_STATEMENT = {
    "sid": "ReadPrompts",
    "actions": ["s3:GetObject"],
    "resources": ["arn:aws:s3:::team-prompts/*"],
}
PROXY: dict[str, Any] = {
    "name": "guard",
    "image": "docker.io/acme/guard:1.4.2",
    "cpu": 64,
    "memory_mb": 128,
    "environment": {"UPSTREAM": "127.0.0.1:4000"},
    "secrets": ["LITELLM_MASTER_KEY"],
    "ports": [9000],
    "health_check": {"command": ["CMD", "/guard", "check"]},
    "depends_on": [{"container": "litellm-proxy", "condition": "HEALTHY"}],
}


def write(user: User, **service: Any) -> None:
    file = user.folder / "environments" / "local.yaml"
    whole = yaml.safe_load(file.read_text())
    whole["service"] = {**whole.get("service", {}), **service}
    file.write_text(yaml.safe_dump(whole))


def containers(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    ecs = client(sandbox, "ecs")
    where = {"cluster": "local-litellm", "services": ["local-litellm-proxy"]}
    (service,) = ecs.describe_services(**where)["services"]
    found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return {one["name"]: one for one in found["containerDefinitions"]}


@pytest.mark.deep
def test_a_sidecar_is_deployed_rolled_verified_and_taken_away(deployed: User, account: Sandbox) -> None:
    write(deployed, sidecars=[PROXY], task_policy=[ROLE_STATEMENT])
    try:
        done = deployed.run("deploy", "local", "--yes")
        assert done.code == 0, done.err

        found = containers(account)
        assert list(found) == ["litellm-proxy", "guard"]
        assert found["guard"]["essential"] is False
        assert found["guard"]["logConfiguration"]["options"]["awslogs-stream-prefix"] == "guard"
        assert [one["name"] for one in found["guard"]["secrets"]] == ["LITELLM_MASTER_KEY"]
        assert found["litellm-proxy"]["memoryReservation"] == 2048 - 128

        again = json.loads(deployed.run("plan", "local", "--format", "json").out)
        assert {one["action"] for one in again["stacks"]} == {"none"}
        drift = deployed.run("drift", "local")
        assert drift.code == 0, drift.out + drift.err
        checks = json.loads(deployed.run("verify", "local", "--format", "json").out)["checks"]
        assert {one["outcome"] for one in checks if one["name"] in {"service", "config.yaml"}} == {"ok"}
        rolled = deployed.run("rollout", "local", "--yes")
        assert rolled.code == 0, rolled.err
        told = deployed.run("graph", "local", "--format", "security")
        assert "s3:GetObject" in told.out
        assert "arn:aws:s3:::team-prompts/" in told.out
    finally:
        write(deployed, sidecars=[], task_policy=[])
        assert deployed.run("deploy", "local", "--yes").code == 0
    assert list(containers(account)) == ["litellm-proxy"]


def test_the_plan_shows_what_the_application_may_do(deployed: User) -> None:
    write(deployed, task_policy=[ROLE_STATEMENT])

    told = deployed.run("plan", "local")

    assert told.code in {0, 2}, told.err
    assert "ReadPrompts" in told.out, told.out


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("sg-00000000000000000", "there is no security group sg-00000000000000000 in us-east-1"),
        (None, "is in vpc-"),
    ],
)
def test_a_group_that_the_tasks_cannot_have_is_refused_before_anything_is_touched(
    deployed: User, account: Sandbox, group: str | None, said: str
) -> None:
    if group is None:
        ec2 = client(account, "ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    write(deployed, security_group_ids=[group])
    account.calls.clear()

    done = deployed.run("deploy", "local", "--yes")

    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("error: service.security_group_ids: ")
    assert said in done.err
    assert not {"CreateChangeSet", "ExecuteChangeSet"} & {call.action for call in account.calls}


def test_a_group_of_the_environments_own_vpc_is_given_to_the_tasks(deployed: User, account: Sandbox) -> None:
    ec2 = client(account, "ec2")
    own = [{"Name": "tag:Environment", "Values": ["local"]}]
    vpc = ec2.describe_vpcs(Filters=own)["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="peers", Description="d", VpcId=vpc)["GroupId"]
    write(deployed, security_group_ids=[group])
    try:
        done = deployed.run("deploy", "local", "--yes", "--only", "service")
        assert done.code == 0, done.err
        where = {"cluster": "local-litellm", "services": ["local-litellm-proxy"]}
        (service,) = client(account, "ecs").describe_services(**where)["services"]
        worn = service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
        assert len(worn) == 2
        assert group in worn
    finally:
        write(deployed, security_group_ids=[])
        assert deployed.run("deploy", "local", "--yes", "--only", "service").code == 0


def test_bootstrap_says_what_its_boundary_does_not_grant(deployed: User) -> None:
    write(deployed, task_policy=[ROLE_STATEMENT], managed_policies=["arn:aws:iam::aws:policy/ReadOnlyAccess"])
    file = deployed.folder / "environments" / "local.yaml"
    github = {"github": {"repository": "acme/gateway", "environments": ["local"]}}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"pipelines": github}))

    told = deployed.run("bootstrap", "local", "--print-template")

    assert told.code == 0, told.err
    assert (
        "warning: service.managed_policies: the tasks' role is limited by the boundary gatestack" in told.err
    )
    boundary = json.loads(told.out)["Resources"]["Boundary"]["Properties"]["PolicyDocument"]
    assert "ReadPrompts" in [one["Sid"] for one in boundary["Statement"]]
