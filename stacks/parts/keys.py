"""The environment's own KMS key, and which AWS services may use it."""

from __future__ import annotations

from awacs import kms as action
from awacs.aws import (
    Allow,
    ArnLike,
    Bool,
    Condition,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AccountId, Ref, Sub
from troposphere.kms import Alias, Key

from stacks.parts.policies import arn, document, via
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

USE = [
    action.Decrypt,
    action.DescribeKey,
    action.Encrypt,
    action.Action("GenerateDataKey*"),
    action.Action("ReEncrypt*"),
]
SERVICES = ("ecr", "rds", "s3", "secretsmanager", "sns")
"""Services that use the key in the name of a caller of this account."""


def add(stack: Stack) -> Key:
    """Add the customer key, rotated yearly, and its alias."""
    prefix = stack.settings.prefix
    key = stack.add(
        Key(
            "Key",
            Description=f"Secrets, logs, database, configuration and alarms of {prefix}",
            EnableKeyRotation=True,
            PendingWindowInDays=30 if stack.settings.production else 7,
            KeyPolicy=_policy(prefix),
            **kept_in_production(stack.settings),
        ),
        name="key",
    )
    stack.add(Alias("KeyAlias", AliasName=f"alias/{prefix}", TargetKeyId=Ref(key)))
    return key


def _policy(prefix: str) -> PolicyDocument:
    return document(_account(), _callers(), _grants(), _logs(prefix), _alarms())


def _account() -> Statement:
    """Without it nobody can manage the key: AWS KMS Developer Guide, "Default key policy"."""
    root = Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))
    return _statement("Account", root, [action.Action("*")])


def _callers() -> Statement:
    """The way of the AWS managed keys: who may read a secret may decrypt it, through the service only."""
    condition = StringEquals({"kms:CallerAccount": AccountId, "kms:ViaService": via(*SERVICES)})
    return _statement("CallersThroughServices", Principal("AWS", "*"), USE, Condition(condition))


def _grants() -> Statement:
    """RDS and ECR open their storage with grants: RDS and ECR User Guides, "Encryption at rest"."""
    condition = Condition(
        [
            StringEquals({"kms:CallerAccount": AccountId, "kms:ViaService": via("ecr", "rds")}),
            Bool("kms:GrantIsForAWSResource", "true"),
        ]
    )
    return _statement("GrantsForServices", Principal("AWS", "*"), [action.CreateGrant], condition)


def _logs(prefix: str) -> Statement:
    """This environment's groups: CloudWatch Logs User Guide, "Encrypt log data using AWS KMS"."""
    context = ArnLike("kms:EncryptionContext:aws:logs:arn", arn("logs", f"log-group:*{prefix}*"))
    service = Principal("Service", Sub("logs.${AWS::Region}.amazonaws.com"))
    return _statement("LogGroups", service, USE, Condition(context))


def _alarms() -> Statement:
    """Amazon SNS Developer Guide, "Enable compatibility between event sources and encrypted topics"."""
    condition = Condition(
        [StringEquals("aws:SourceAccount", AccountId), ArnLike("aws:SourceArn", arn("cloudwatch", "alarm:*"))]
    )
    service = Principal("Service", "cloudwatch.amazonaws.com")
    return _statement("Alarms", service, [action.Decrypt, action.Action("GenerateDataKey*")], condition)


def _statement(
    sid: str, who: Principal, actions: list[action.Action], condition: Condition | None = None
) -> Statement:
    when = {} if condition is None else {"Condition": condition}
    return Statement(Sid=sid, Effect=Allow, Principal=who, Action=actions, Resource=["*"], **when)
