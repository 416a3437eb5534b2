"""A log group that goes with its stack: encrypted with the environment's key, and emptied in time."""

from __future__ import annotations

from troposphere.logs import LogGroup

from stacks.parts.retention import removed
from stacks.wiring import Stack


def add_log_group(stack: Stack, title: str, name: str) -> LogGroup:
    """Add the log group *name*; what writes into it would make it itself, without key and kept for ever."""
    return stack.add(
        LogGroup(
            title,
            **removed(),
            LogGroupName=name,
            RetentionInDays=stack.settings.observability.log_retention_days,
            KmsKeyId=stack.imported("security", "KmsKeyArn"),
        )
    )
