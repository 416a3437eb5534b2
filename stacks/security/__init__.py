"""Stack 1: KMS key, secrets, the tasks' two roles, configuration bucket, alarm topic, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs import ecr, kms, logs, s3, secretsmanager, ssm, xray
from awacs.aws import Condition, Statement, StringEquals
from troposphere import GetAtt, Ref, Sub, iam
from troposphere.kms import Key
from troposphere.s3 import Bucket
from troposphere.secretsmanager import Secret

from stacks import collector, known_secrets, task_secrets
from stacks.calls.reading import grants
from stacks.parts import called, foreign_secrets, parameters, task_policy
from stacks.parts.policies import allow, arn, image_repositories, role, via
from stacks.security import (
    alarm_topic,
    audit_trail,
    commands,
    config_bucket,
    keys,
    log_archive,
    prompt_log,
    secrets,
)
from stacks.settings import Settings
from stacks.wiring import Stack


def build(settings: Settings) -> Stack:
    """Return the stack that all others depend on; it imports nothing."""
    stack = Stack(settings, "security", "key, secrets, roles, configuration bucket, alarm topic")
    key = keys.add(stack)
    stack.export("KmsKeyArn", GetAtt(key, "Arn"), "The environment's KMS key")
    own_secrets = secrets.add(stack, key)
    for one in secrets.wanted(stack):
        stack.export(one.arn.output, Ref(own_secrets[one.name]), one.content)
    bucket = config_bucket.add(stack, key) if config_bucket.needed(stack) else None
    topic = alarm_topic.add(stack, key)
    stack.export("AlarmTopicArn", Ref(topic), "Topic that every alarm rings")
    execution = _execution_role(stack, key, own_secrets)
    stack.export("ExecutionRoleArn", GetAtt(execution, "Arn"), "Role with which ECS starts the tasks")
    prompts = prompt_log.add(stack)
    task = _task_role(stack, key, own_secrets, bucket, *prompt_log.writing(stack, prompts))
    stack.export("TaskRoleArn", GetAtt(task, "Arn"), "Role of the running tasks")
    parameters.add(stack)
    audit_trail.add(stack, bucket, prompts)
    log_archive.add(stack)
    return stack


def _execution_role(stack: Stack, key: Key, own: Mapping[str, Secret]) -> iam.Role:
    """Pull the image, read injected secrets, write logs: ECS Developer Guide, "Task execution IAM role"."""
    settings = stack.settings
    names = [one.name for one in stack.application.programs(settings)]
    log_groups = [arn("logs", f"log-group:{settings.log_group_of(name)}:*") for name in names]
    # Six characters end a secret's ARN (AWS Secrets Manager User Guide, "Permissions policy examples").
    login = [arn("secretsmanager", f"secret:{settings.login_secret_name}-??????")]
    put_in = task_secrets.of_tasks(settings)
    injected = [
        Ref(own[one.name]) for one in secrets.wanted(stack) if one.reader == "start" and one not in put_in
    ]
    # All that exist: old tasks may restart beside new ones after a change of the list.
    variables = [arn("secretsmanager", f"secret:{settings.secret_name(known_secrets.VARIABLES)}/*")]
    return role(
        stack,
        "ExecutionRole",
        "ecs-tasks.amazonaws.com",
        arn("ecs", "*"),
        allow("EcrLogin", [ecr.GetAuthorizationToken], ["*"]),
        allow("PullOwnImages", _PULL, [arn("ecr", f"repository/{settings.repository_name}")]),
        *_sidecar_images(settings),
        allow("WriteOwnLogs", [logs.CreateLogStream, logs.PutLogEvents], log_groups),
        *_reading("ReadOwnSecrets", [*injected, *(login if settings.database.exists else ())]),
        *_reading("ReadVariables", variables if put_in else []),
        # A migration starts with these. What services start with: stacks/service/secret_access.py.
        *foreign_secrets.reading(foreign_secrets.logins(settings)),
        allow("ReadOwnParameters", [ssm.GetParameters], [arn("ssm", f"parameter/{settings.prefix}/*")]),
        _decrypt(key, "secretsmanager"),
    )


def _sidecar_images(settings: Settings) -> list[Statement]:
    arns = image_repositories(settings)
    return [allow("PullSidecarImages", _PULL, arns)] if arns else []


def _task_role(
    stack: Stack, key: Key, own: Mapping[str, Secret], bucket: Bucket | None, *more: Statement
) -> iam.Role:
    """Let tasks read their own data, and call what is configured; *more*; and what the file adds."""
    fetched = [Ref(own[one.name]) for one in secrets.wanted(stack) if one.reader == "tasks"]
    made = role(
        stack,
        "TaskRole",
        "ecs-tasks.amazonaws.com",
        arn("ecs", "*"),
        *(_configuration(key, bucket) if bucket and stack.application.config else ()),
        *_reading("ReadOwnSecrets", fetched),
        *([_decrypt(key, "secretsmanager")] if fetched else ()),
        *called.statements(grants(stack.settings)),
        *_tracing(stack.settings),
        *_metrics(stack.settings),
        *commands.statements(stack.settings, key),
        *more,
    )
    task_policy.extend(made, stack.settings)
    return made


def _configuration(key: Key, bucket: Bucket) -> tuple[Statement, Statement]:
    files = Sub(f"${{{bucket.title}.Arn}}/litellm/*")
    return allow("ReadConfiguration", [s3.GetObject], [files]), _decrypt(key, "s3")


def _reading(sid: str, arns: list[Any]) -> list[Statement]:
    return [allow(sid, [secretsmanager.GetSecretValue], arns)] if arns else []


def _tracing(settings: Settings) -> list[Statement]:
    """X-Ray's actions know no resource: Service Authorization Reference, "Actions for AWS X-Ray"."""
    if settings.observability.xray:
        return [allow("SendTraces", _TRACE, ["*"])]
    return [allow("SendTraces", _TRACE_ALL, ["*"])] if collector.wanted(settings) else []


def _metrics(settings: Settings) -> list[Statement]:
    """The collector's exporter makes a stream and writes to it (README of awsemfexporter)."""
    if not collector.wanted(settings):
        return []
    group = arn("logs", f"log-group:{collector.log_group(settings)}:*")
    return [allow("WriteMetrics", [logs.CreateLogStream, logs.PutLogEvents], [group])]


def _decrypt(key: Key, service: str) -> Statement:
    through = Condition(StringEquals("kms:ViaService", via(service)))
    return allow("DecryptThroughService", [kms.Decrypt], [GetAtt(key, "Arn")], through)


_PULL = [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetDownloadUrlForLayer]
_TRACE = [
    xray.GetSamplingRules,
    xray.GetSamplingStatisticSummaries,
    xray.GetSamplingTargets,
    xray.PutTelemetryRecords,
    xray.PutTraceSegments,
]
_TRACE_ALL = [xray.PutTelemetryRecords, xray.PutTraceSegments]
"""Permissions of a sender that sends every trace, without X-Ray's sampling rules."""
