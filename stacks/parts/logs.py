"""A log group that is deleted with its stack: encrypted with the environment's key, expiring, archived."""

from __future__ import annotations

from troposphere import Ref
from troposphere.logs import LogGroup, SubscriptionFilter

from stacks.application import Export
from stacks.parts.retention import removed
from stacks.wiring import Stack

ARCHIVE_STREAM = "LogArchiveStreamArn"
ARCHIVE_ROLE = "LogArchiveRoleArn"
"""What the security stack exports for `archive` (see `stacks.security.log_archive`)."""


def add_log_group(stack: Stack, title: str, name: str, *, archived: bool = True) -> LogGroup:
    """
    Add the log group *name*; its writer would create it without key, and keep it for ever.

    Not *archived*: the archive's own errors, which would loop.
    """
    group = stack.add(
        LogGroup(
            title,
            **removed(),
            LogGroupName=name,
            RetentionInDays=stack.settings.observability.log_retention_days,
            KmsKeyId=stack.resolved(Export("security", "KmsKeyArn")),
        )
    )
    if archived:
        archive(stack, group)
    return group


def archive(stack: Stack, group: LogGroup) -> None:
    """
    Send everything that is written to *group* to the archive too, if the environment has one.

    A log group has room for two filters (CloudWatch Logs User Guide, "CloudWatch Logs quotas").
    """
    if not stack.settings.observability.log_archive_days:
        return
    stack.add(
        SubscriptionFilter(
            f"{group.title}Archive",
            LogGroupName=Ref(group),
            FilterName="archive",
            FilterPattern="",
            DestinationArn=stack.imported("security", ARCHIVE_STREAM),
            RoleArn=stack.imported("security", ARCHIVE_ROLE),
        )
    )
