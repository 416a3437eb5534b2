"""A list of secrets that changes: running tasks keep their right to read until none of them is left."""

from __future__ import annotations

from typing import Any

import yaml

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client

STACK = "local-litellm-service"


def name(user: User, **sources: str) -> None:
    file = user.folder / "environments" / "local.yaml"
    whole = yaml.safe_load(file.read_text())
    whole["service"] = {**whole.get("service", {}), "secrets_from": sources}
    file.write_text(yaml.safe_dump(whole))


def happened(account: Sandbox, since: int) -> list[tuple[str, str]]:
    """Return (kind, status) of what the service's stack did to policies and the service, oldest first."""
    events = list(reversed(events_of(account)))[since:]
    kinds = {"AWS::IAM::Policy": "policy", "AWS::ECS::Service": "service"}
    return [
        (kinds[one["ResourceType"]], one["ResourceStatus"])
        for one in events
        if one["ResourceType"] in kinds and one["ResourceStatus"].endswith("_COMPLETE")
    ]


def events_of(account: Sandbox) -> list[dict[str, Any]]:
    found = client(account, "cloudformation").get_paginator("describe_stack_events").paginate(StackName=STACK)
    return [one for page in found for one in page["StackEvents"]]


def readable(account: Sandbox) -> dict[str, list[str]]:
    """Return the resources of each policy that the service's stack has given the execution role."""
    exports = client(account, "cloudformation").list_exports()["Exports"]
    arn = next(one["Value"] for one in exports if one["Name"] == "local-litellm-security-ExecutionRoleArn")
    iam, role = client(account, "iam"), arn.rpartition("/")[2]
    names = [one for one in iam.list_role_policies(RoleName=role)["PolicyNames"] if "SecretsFrom" in one]
    policies = [iam.get_role_policy(RoleName=role, PolicyName=one) for one in names]
    return {
        one["PolicyName"]: [on for each in one["PolicyDocument"]["Statement"] for on in each["Resource"]]
        for one in policies
    }


def test_the_right_comes_before_the_new_tasks_and_goes_after_the_old_ones(
    deployed: User, account: Sandbox
) -> None:
    secrets = client(account, "secretsmanager")
    one, other = (secrets.create_secret(Name=each, SecretString="x")["ARN"] for each in ("one", "other"))
    since = len(events_of(account))

    def deploy(**sources: str) -> list[tuple[str, str]]:
        nonlocal since
        name(deployed, **sources)
        done = deployed.run("deploy", "local", "--yes", "--only", "security", "--only", "service")
        assert done.code == 0, done.err
        assert "security" not in [line.split()[1] for line in done.err.splitlines() if "_COMPLETE" in line]
        found, since = happened(account, since), len(events_of(account))
        return found

    assert deploy(A=one) == [("policy", "CREATE_COMPLETE"), ("service", "UPDATE_COMPLETE")]
    assert list(readable(account).values()) == [[one]]
    assert deploy(A=other) == [
        ("policy", "CREATE_COMPLETE"),
        ("service", "UPDATE_COMPLETE"),
        ("policy", "DELETE_COMPLETE"),
    ]
    assert list(readable(account).values()) == [[other]]
    assert deploy() == [("service", "UPDATE_COMPLETE"), ("policy", "DELETE_COMPLETE")]
    assert readable(account) == {}
