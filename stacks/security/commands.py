"""
Commands in a running task (Amazon ECS Exec): the permissions to accept and to record them.

Source: Amazon ECS Developer Guide, "Monitor Amazon ECS containers with ECS Exec", permissions.
"""

from __future__ import annotations

from awacs import kms, logs, ssmmessages
from awacs.aws import Statement
from troposphere import GetAtt
from troposphere.kms import Key

from stacks.parts.policies import allow, arn
from stacks.settings import Settings

_ANYWHERE = [
    logs.DescribeLogGroups,
    ssmmessages.CreateControlChannel,
    ssmmessages.CreateDataChannel,
    ssmmessages.OpenControlChannel,
    ssmmessages.OpenDataChannel,
]
"""
The channels, and the list in which the log group is looked up, know no resource (Service Authorization
Reference, "Amazon Message Gateway Service", "Amazon CloudWatch Logs").
"""
_RECORD = [logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents]


def statements(settings: Settings, key: Key) -> list[Statement]:
    """Let the agent in a task take commands, decrypt what is typed, and write both sides down."""
    if not settings.service.execute_command:
        return []
    return [
        allow("TakeCommands", _ANYWHERE, ["*"]),
        allow("RecordCommands", _RECORD, [arn("logs", f"log-group:{settings.command_log_group}:*")]),
        allow("DecryptCommands", [kms.Decrypt], [GetAtt(key, "Arn")]),
    ]
