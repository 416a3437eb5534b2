"""The log of commands in running tasks (Amazon ECS Exec)."""

from __future__ import annotations

from typing import Any

from troposphere import Ref
from troposphere.ecs import (
    ClusterConfiguration,
    ExecuteCommandConfiguration,
    ExecuteCommandLogConfiguration,
)

from stacks.parts.logs import add_log_group
from stacks.wiring import Stack


def recorded(stack: Stack) -> dict[str, Any]:
    """
    Return what a cluster needs to have commands in its tasks recorded, and adds the log group for it.

    Without it nothing is recorded. The environment's key encrypts the session, on top of TLS, and the record.
    Source: Amazon ECS API Reference, "ExecuteCommandConfiguration", "ExecuteCommandLogConfiguration".
    """
    if not stack.settings.service.execute_command:
        return {}
    group = add_log_group(stack, "CommandLog", stack.settings.command_log_group)
    record = ExecuteCommandLogConfiguration(
        CloudWatchLogGroupName=Ref(group), CloudWatchEncryptionEnabled=True
    )
    commands = ExecuteCommandConfiguration(
        KmsKeyId=stack.imported("security", "KmsKeyArn"), Logging="OVERRIDE", LogConfiguration=record
    )
    return {"Configuration": ClusterConfiguration(ExecuteCommandConfiguration=commands)}
