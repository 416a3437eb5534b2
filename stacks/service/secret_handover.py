"""Rotation of a secret whose old value running tasks accept before the new one becomes current."""

from __future__ import annotations

from collections.abc import Iterator

from awacs import ecs as action
from awacs.aws import ArnEquals, Condition, Statement

from stacks.application import OwnRotation, camel
from stacks.parts.policies import allow, arn
from stacks.parts.rotation import Rotation, add_rotation, service_arn
from stacks.service.services import Running
from stacks.wiring import Stack


def rotate(stack: Stack, own: OwnRotation, running: Running) -> None:
    """
    Rotate the secret from a place that reaches a running task directly.

    The secret is of the security stack; its rotation is of the last one, since it speaks to the service.
    """
    settings = stack.settings
    rotation = Rotation(
        name=own.secret,
        secret_name=settings.secret_name(own.secret),
        secret=stack.imported("security", f"{camel(own.secret)}SecretArn"),
        module=own.module,
        at_once=False,
        variables={"PROXY_PORT": str(settings.service.port)},
        permissions=tuple(_find_tasks(stack)),
        after=(running.service.title,),
    )
    add_rotation(stack, rotation)


def _find_tasks(stack: Stack) -> Iterator[Statement]:
    """Let it find the service's tasks; listing supports no service (Service Authorization Reference, ECS)."""
    cluster = ArnEquals("ecs:cluster", arn("ecs", f"cluster/{stack.settings.cluster_name}"))
    tasks = arn("ecs", f"task/{stack.settings.cluster_name}/*")
    yield allow("SeeService", [action.DescribeServices], [service_arn(stack)])
    yield allow("ListTasks", [action.ListTasks], ["*"], Condition(cluster))
    yield allow("SeeTasks", [action.DescribeTasks], [tasks])
