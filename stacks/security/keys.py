"""The environment's own KMS key, and which AWS services may use it."""

from __future__ import annotations

from awacs import kms as action
from awacs.aws import (
    Allow,
    ArnEquals,
    ArnLike,
    Bool,
    BoolIfExists,
    Condition,
    Deny,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AccountId, Ref, Sub
from troposphere.kms import Alias, Key

from stacks.parts.policies import arn, document, via
from stacks.parts.retention import kept_in_production
from stacks.security import audit_trail
from stacks.settings import Settings
from stacks.wiring import PIPELINE_ROLE, Stack

DATA_KEYS = [action.GenerateDataKey, action.GenerateDataKeyWithoutPlaintext]
USE = [
    action.Decrypt,
    action.DescribeKey,
    action.Encrypt,
    *DATA_KEYS,
    action.ReEncryptFrom,
    action.ReEncryptTo,
]
"""
What AWS's examples write as ``GenerateDataKey*`` and ``ReEncrypt*``, without the pairs of asymmetric keys,
which none of the services makes (AWS KMS API Reference, "GenerateDataKeyPair").
"""

MAKE = [
    action.CreateAlias,
    action.DescribeKey,
    action.EnableKeyRotation,
    action.GetKeyPolicy,
    action.GetKeyRotationStatus,
    action.ListResourceTags,
    action.PutKeyPolicy,
    action.ScheduleKeyDeletion,
    action.TagResource,
]
"""Actions to create a key with its alias, and to delete it in a rollback."""

SERVICES = ("ecr", "rds", "s3", "secretsmanager", "sns")
"""Services that use the key on behalf of a caller of this account."""


def add(stack: Stack) -> Key:
    """Add the customer key, rotated yearly, and its alias."""
    prefix = stack.settings.prefix
    key = stack.add(
        Key(
            "Key",
            Description=f"Secrets, logs, database, configuration and alarms of {prefix}",
            EnableKeyRotation=True,
            PendingWindowInDays=30 if stack.settings.production else 7,
            KeyPolicy=_policy(stack.settings),
            BypassPolicyLockoutSafetyCheck=True,  # `_account` is always in the policy
            **kept_in_production(stack.settings),
        ),
        name="key",
    )
    stack.add(Alias("KeyAlias", AliasName=f"alias/{prefix}", TargetKeyId=Ref(key)))
    return key


def _policy(settings: Settings) -> PolicyDocument:
    events = [_events()] if settings.observability.alarms.stopped_tasks else []
    trail = audit_trail.key_statements(settings)
    makers = [_makers()] if settings.pipelines.configured else []
    return document(*_use(settings), *makers, _logs(settings), _alarms(), *events, *trail)


def _use(settings: Settings) -> tuple[Statement, ...]:
    cache = ("elasticache",) if settings.cache.exists else ()
    return _account(), _callers(*SERVICES, *cache), _grants("ecr", "rds", *cache), _no_other_grants()


def _account() -> Statement:
    """
    Allow the account, without which nobody can manage the key: AWS KMS Developer Guide, "Default key policy".
    """
    root = Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))
    return _statement("Account", root, [action.Action("*")])


def _makers() -> Statement:
    """
    Let the pipelines' role create and manage the key before the key's tags count.

    KMS creates a key only for a caller who could change its policy afterwards, and tags have no effect for up
    to five minutes. The role is matched by its name: a policy that names a missing role is refused. Its own
    policies limit it to keys with this environment's tags again, as soon as they count. Sources: AWS KMS API
    Reference, "CreateKey"; AWS KMS Developer Guide, "Control access to KMS keys using tags"; IAM User Guide,
    "aws:PrincipalArn".
    """
    role = Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{PIPELINE_ROLE.format('deploy')}")
    here = Condition([StringEquals("kms:CallerAccount", AccountId), ArnEquals("aws:PrincipalArn", role)])
    return _statement("MadeByPipelines", Principal("AWS", "*"), MAKE, here)


def _callers(*services: str) -> Statement:
    """Allow as AWS managed keys do: who may read a secret may decrypt it, through the service only."""
    condition = StringEquals({"kms:CallerAccount": AccountId, "kms:ViaService": via(*services)})
    return _statement("CallersThroughServices", Principal("AWS", "*"), USE, Condition(condition))


def _grants(*services: str) -> Statement:
    """
    Let services create grants for their storage: RDS and ECR User Guides, "Encryption at rest".

    So does ElastiCache: ElastiCache User Guide, "Using customer managed keys from AWS KMS".
    """
    condition = Condition(
        [
            StringEquals({"kms:CallerAccount": AccountId, "kms:ViaService": via(*services)}),
            Bool("kms:GrantIsForAWSResource", "true"),
        ]
    )
    return _statement("GrantsForServices", Principal("AWS", "*"), [action.CreateGrant], condition)


def _no_other_grants() -> Statement:
    """
    Deny grants to all but AWS's services, even if IAM allows them: a grant may be to another account.

    Source: AWS Control Tower, proactive control CT.KMS.PR.3.
    """
    by_hand = BoolIfExists({"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"})
    return Statement(
        Sid="NoOtherGrants",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[action.CreateGrant],
        Resource=["*"],
        Condition=Condition(by_hand),
    )


def _logs(settings: Settings) -> Statement:
    """
    Allow this environment's log groups: of tasks, of AWS's services, and those that CloudFormation names.

    Source: CloudWatch Logs User Guide, "Encrypt log data using AWS KMS".
    """
    prefix, firewall = settings.prefix, settings.firewall_log_group
    names = (f"/ecs/{prefix}-*", f"/aws/*/{prefix}-*", f"{prefix}-*", firewall)
    groups = [arn("logs", f"log-group:{name}") for name in names]
    context = ArnLike("kms:EncryptionContext:aws:logs:arn", groups)
    service = Principal("Service", Sub("logs.${AWS::Region}.amazonaws.com"))
    return _statement("LogGroups", service, USE, Condition(context))


def _alarms() -> Statement:
    """Amazon SNS Developer Guide, "Enable compatibility between event sources and encrypted topics"."""
    condition = Condition(
        [StringEquals("aws:SourceAccount", AccountId), ArnLike("aws:SourceArn", arn("cloudwatch", "alarm:*"))]
    )
    service = Principal("Service", "cloudwatch.amazonaws.com")
    return _statement("Alarms", service, [action.Decrypt, *DATA_KEYS], condition)


def _events() -> Statement:
    """
    Let EventBridge publish on the encrypted topic; no condition on the source is supported here.

    Source: Amazon SNS Developer Guide, "Enable compatibility between event sources and encrypted topics".
    """
    service = Principal("Service", "events.amazonaws.com")
    return _statement("Events", service, [action.Decrypt, *DATA_KEYS])


def _statement(
    sid: str, who: Principal, actions: list[action.Action], condition: Condition | None = None
) -> Statement:
    when = {} if condition is None else {"Condition": condition}
    return Statement(Sid=sid, Effect=Allow, Principal=who, Action=actions, Resource=["*"], **when)
