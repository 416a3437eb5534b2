"""The VPC's flow logs: an encrypted log group, and the role that fills it."""

from __future__ import annotations

from awacs import logs
from troposphere import GetAtt, Ref
from troposphere.ec2 import FlowLog
from troposphere.logs import LogGroup

from stacks.parts.logs import archive
from stacks.parts.policies import allow, arn, role
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack


def add(stack: Stack, vpc: Ref | str) -> None:
    """
    Record all traffic of *vpc* (Amazon VPC User Guide, "Publish flow logs to CloudWatch Logs").

    The group's name is left to CloudFormation: kept in production, it would stand in the way of the next one.
    """
    group = stack.add(
        LogGroup(
            "FlowLogGroup",
            RetentionInDays=stack.settings.observability.log_retention_days,
            KmsKeyId=stack.imported("security", "KmsKeyArn"),
            **kept_in_production(stack.settings),
        )
    )
    archive(stack, group)
    writer = role(
        stack,
        "FlowLogRole",
        "vpc-flow-logs.amazonaws.com",
        arn("ec2", "vpc-flow-log/*"),
        allow("WriteFlowLogs", _WRITE, [GetAtt(group, "Arn")]),
        allow("FindLogGroups", [logs.DescribeLogGroups], ["*"]),
    )
    stack.add(
        FlowLog(
            "FlowLog",
            ResourceId=vpc,
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=GetAtt(writer, "Arn"),
        ),
        name="flow-log",
    )


_WRITE = [logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents]
