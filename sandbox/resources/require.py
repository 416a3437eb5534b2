"""Checks that what a resource refers to exists, where moto takes anything. Each raises ProvisionError."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.resources.handler import Call


def key(call: Call, key_id: str | None) -> None:
    """Refuse a KMS key, by id, ARN or alias, that is not there; None and AWS's own keys are fine."""
    if key_id and "alias/aws/" not in key_id:
        _asked(call, "KMS key", key_id, "kms", "describe_key", KeyId=key_id)


def role(call: Call, role_arn: str | None) -> None:
    """Refuse an IAM role, by ARN or name, that is not there; service-linked roles are AWS's own."""
    if role_arn and "/aws-service-role/" not in role_arn:
        _asked(call, "role", role_arn, "iam", "get_role", RoleName=role_arn.rsplit("/", 1)[-1])


def subnets(call: Call, ids: Iterable[str]) -> None:
    """Refuse subnets that are not there."""
    for subnet in ids:
        _asked(call, "subnet ID", subnet, "ec2", "describe_subnets", SubnetIds=[subnet])


def groups(call: Call, ids: Iterable[str]) -> None:
    """Refuse security groups that are not there."""
    for group in ids:
        _asked(call, "security group", group, "ec2", "describe_security_groups", GroupIds=[group])


def vpc(call: Call, vpc_id: str | None) -> None:
    """Refuse a VPC that is not there."""
    if vpc_id:
        _asked(call, "vpc ID", vpc_id, "ec2", "describe_vpcs", VpcIds=[vpc_id])


def target_group(call: Call, arn: str | None) -> None:
    """Refuse a target group that is not there."""
    if arn:
        _asked(call, "target group", arn, "elbv2", "describe_target_groups", TargetGroupArns=[arn])


def _asked(
    call: Call, kind: str, identifier: str, service: str, operation: str, /, **parameters: Any
) -> None:
    try:
        call.ask(service, operation, **parameters)
    except ClientError as error:
        raise call.not_found(kind, identifier) from error
