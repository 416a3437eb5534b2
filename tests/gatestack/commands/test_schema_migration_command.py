"""The migration of the database as a user sees it: the real command, on the sandbox."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sandbox.server import Sandbox
from tests.command import Done, User
from tests.sandbox.sandbox_account import client

CLUSTER = "local-litellm-migration"


def migrations(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every task that was run, in order."""
    ecs = client(sandbox, "ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]
    found = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    return sorted(found, key=lambda task: task["createdAt"])


def service_stack(sandbox: Sandbox) -> dict[str, Any]:
    cloudformation = client(sandbox, "cloudformation")
    found: dict[str, Any] = cloudformation.describe_stacks(StackName="local-litellm-service")["Stacks"][0]
    return found


def began(sandbox: Sandbox) -> datetime:
    """When the service stack was last begun to be made or changed."""
    events = client(sandbox, "cloudformation").describe_stack_events(StackName="local-litellm-service")
    named = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    own = (one for one in events["StackEvents"] if one["LogicalResourceId"] == "local-litellm-service")
    found: datetime = next(one["Timestamp"] for one in own if one["ResourceStatus"] in named)
    return found


def proxy_definition(sandbox: Sandbox) -> str:
    found = client(sandbox, "ecs").describe_services(
        cluster="local-litellm", services=["local-litellm-proxy"]
    )
    return str(found["services"][0]["taskDefinition"])


def actions(done: Done) -> dict[str, tuple[str, str]]:
    return {stack["name"]: (stack["action"], stack["status"]) for stack in json.loads(done.out)["stacks"]}


def deploy(user: User) -> Done:
    return user.run("deploy", "local", "--yes", "--format", "json")


def use_image(user: User, tag: str) -> None:
    user.edit("local", "service:\n", f"service:\n  image_tag: {tag}\n")


def test_the_database_is_migrated_once_before_tasks_start_and_for_another_image_before_the_service_changes(
    user: User, sandbox: Sandbox
) -> None:
    first = deploy(user)
    assert (first.code, set(actions(first).values())) == (0, {("create", "CREATE_COMPLETE")})
    (task,) = migrations(sandbox)
    assert task["containers"][0]["exitCode"] == 0
    assert task["stoppedAt"] <= began(sandbox)

    again = deploy(user)

    assert {action for action, _ in actions(again).values()} == {"none"}
    assert len(migrations(sandbox)) == 1

    before, runs = service_stack(sandbox), proxy_definition(sandbox)
    use_image(user, "v1.108.20")
    sandbox.faults.add({"tasks": [{"family": CLUSTER, "exit_code": 3}]})

    planned = user.run("plan", "local")
    assert "litellm-database:v1.108.20 in a one-off task first" in planned.out
    assert len(migrations(sandbox)) == 1

    failed = deploy(user)

    assert failed.code == 1
    last = failed.err.splitlines()[-1]
    assert last.startswith(
        "error: service: the migration of the database for "
        "ghcr.io/berriai/litellm-database:v1.108.20 ended with exit code 3"
    )
    assert "aws logs tail /ecs/local-litellm-migration --region us-east-1" in last
    assert (service_stack(sandbox), proxy_definition(sandbox)) == (before, runs)

    repaired = deploy(user)

    assert (repaired.code, actions(repaired)["service"]) == (0, ("update", "UPDATE_COMPLETE"))
    assert proxy_definition(sandbox) != runs
    task = migrations(sandbox)[-1]
    assert [one["containers"][0]["exitCode"] for one in migrations(sandbox)] == [0, 3, 0]
    assert task["stoppedAt"] <= began(sandbox)
