"""Roles that pipelines create: their permissions boundary, and how a pipeline is kept from exceeding it."""

from __future__ import annotations

from typing import Any

from awacs.aws import ArnEquals, Statement, StringEquals
from troposphere import Sub

from stacks.bootstrap.plan_permissions import keys, log_groups, roles, secrets
from stacks.bootstrap.reach import BY_CLOUDFORMATION, Reach, actions, arn_of, when
from stacks.calls.bedrock import INVOKE
from stacks.calls.reading import grants
from stacks.parts import called, foreign_secrets
from stacks.parts.deployment import SHIFTING_POLICY
from stacks.parts.policies import allow, image_repositories
from stacks.settings import Settings

SERVICES = ("ecs-tasks", "ecs", "lambda", "vpc-flow-logs", "firehose", "logs")
"""Services that the stacks' roles are passed to."""

LINKED = ("ecs", "ecs.application-autoscaling", "elasticloadbalancing", "rds", "elasticache")
"""Services whose own roles are created with the account's first resource of theirs."""


def identities(reach: Reach, boundary: Any, settings: Settings) -> list[Statement]:
    """
    Return what creates the stacks' roles, none of them without *boundary*.

    Without that condition, one could create a role that may do anything, and assume it (IAM User Guide,
    "Permissions boundaries for IAM entities", "Delegating responsibility to others"). Nobody here may remove
    the boundary. Trust policies are changed only of roles that have it. Earlier roles have no boundary: to
    give them one and to take them away wants gatestack's tags, by which a role of somebody else with such a
    name is none of ours. A role is tagged as CloudFormation makes it; tags say nothing of who may pass it
    (IAM User Guide, "Controlling access for IAM users and roles using tags", PassRole). Attached are the
    policies that the builders attach, and those of ENV's file.
    """
    own = roles(reach)
    new = when(*reach.tagged(), BY_CLOUDFORMATION)
    bounded = StringEquals("iam:PermissionsBoundary", boundary)
    given = when(bounded, *reach.owned())
    policies = [_aws_managed(SHIFTING_POLICY), *settings.service.managed_policies]
    attached = ArnEquals("iam:PolicyARN", policies if policies[1:] else policies[0])
    passed = StringEquals("iam:PassedToService", [f"{one}.amazonaws.com" for one in SERVICES])
    linked = StringEquals("iam:AWSServiceName", [f"{one}.amazonaws.com" for one in LINKED])
    service_roles = [arn_of("iam", "role/aws-service-role/*", regional=False)]
    return [
        allow("BoundedRoles", actions("iam", _BOUNDED), own, when(bounded)),
        allow("AttachAwsPolicy", actions("iam", "AttachRolePolicy"), own, when(bounded, attached)),
        allow("GiveBoundary", actions("iam", "PutRolePermissionsBoundary"), own, given),
        allow("TagNewRoles", actions("iam", "TagRole"), own, new),
        allow("Roles", actions("iam", _ROLES), own, when(*reach.owned())),
        allow("PassRoles", actions("iam", "PassRole"), own, when(passed)),
        allow("ServiceLinkedRoles", actions("iam", "CreateServiceLinkedRole"), service_roles, when(linked)),
    ]


def limits(reach: Reach, settings: Settings) -> list[Statement]:
    """
    Return what a role of the stacks may be allowed: the union of what the builders give theirs.

    ``*`` stands where the builders' own statements have it: those actions support no resource. Models are
    AWS's or the account's, in whichever region; which of them a task may call, its own policy says. Sidecars'
    images, existing secrets, and what else the application calls are those of ENV's file.
    """
    service = reach.arns
    tasks = service("ecs", "service/{p}/*", "task/{p}/*")
    balancing = "elasticloadbalancing"
    listeners = service(balancing, "listener*/app/{p}/*", "listener*/app/{p}-*")
    interfaces = [arn_of("ec2", "*/*")]
    groups = [arn_of(balancing, "targetgroup/*")]
    return [
        allow("Logs", actions("logs", _LOGS), log_groups(reach)),
        allow("Everywhere", [one for name, each in _EVERYWHERE for one in actions(name, each)], ["*"]),
        allow("Interfaces", actions("ec2", _INTERFACES), interfaces),
        allow("Images", actions("ecr", _PULL), service("ecr", "repository/{p}")),
        allow("Secrets", actions("secretsmanager", _SECRETS), secrets(reach)),
        allow("Parameters", actions("ssm", "GetParameters"), service("ssm", "parameter/{p}/*")),
        allow("Keys", actions("kms", _KEYS), keys(), when(*reach.owned())),
        allow("Files", actions("s3", _FILES), [*reach.buckets()]),
        allow("Models", actions("bedrock", _MODELS), _models()),
        allow("Services", actions("ecs", "DescribeServices DescribeTasks UpdateService"), tasks),
        allow("Archive", actions("firehose", _RECORDS), service("firehose", "deliverystream/{p}-*")),
        allow("DatabaseLogin", actions("rds-db", "connect"), [arn_of("rds-db", "dbuser:*/*_iam")]),
        allow("ShiftTraffic", actions(balancing, "ModifyListener ModifyRule"), listeners),
        allow("ShiftTargets", actions(balancing, _TARGETS), groups, when(*reach.owned())),
        *_pulled(settings),
        *foreign_secrets.reading(foreign_secrets.there_already(settings)),
        *called.statements(one for one in grants(settings) if one.actions != INVOKE),
    ]


def _pulled(settings: Settings) -> list[Statement]:
    arns = image_repositories(settings)
    return [allow("SidecarImages", actions("ecr", _PULL), arns)] if arns else []


def _aws_managed(name: str) -> Sub:
    return Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}")


def _models() -> list[Sub]:
    foundation = Sub("arn:${AWS::Partition}:bedrock:*::foundation-model/*")
    return [foundation, Sub("arn:${AWS::Partition}:bedrock:*:${AWS::AccountId}:*")]


_BOUNDED = (
    "CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy PutRolePolicy UpdateAssumeRolePolicy UpdateRole "
    "UpdateRoleDescription"
)
_ROLES = "DeleteRole DeleteRolePolicy DetachRolePolicy TagRole UntagRole"
_EVERYWHERE = (
    ("ec2", "DescribeNetworkInterfaces DescribeSubnets"),
    ("ecr", "GetAuthorizationToken"),
    ("ecs", "ListTasks"),
    ("elasticloadbalancing", "DescribeListeners DescribeRules DescribeTargetGroups DescribeTargetHealth"),
    ("logs", "DescribeLogGroups"),
    ("ssmmessages", "CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel"),
    ("xray", "GetSamplingRules GetSamplingStatisticSummaries GetSamplingTargets"),
    ("xray", "PutTelemetryRecords PutTraceSegments"),
)
_INTERFACES = (
    "AssignPrivateIpAddresses CreateNetworkInterface DeleteNetworkInterface UnassignPrivateIpAddresses"
)
_LOGS = "CreateLogStream DescribeLogStreams PutLogEvents"
_PULL = "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"
_SECRETS = "DescribeSecret GetSecretValue PutSecretValue UpdateSecretVersionStage"
_KEYS = "Decrypt GenerateDataKey"
_FILES = "AbortMultipartUpload GetBucketLocation GetObject ListBucket ListBucketMultipartUploads PutObject"
_MODELS = "InvokeModel InvokeModelWithResponseStream"
_RECORDS = "PutRecord PutRecordBatch"
_TARGETS = "DeregisterTargets RegisterTargets"
