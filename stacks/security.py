"""Stack 1: key, secrets, the tasks' two roles, the configuration's bucket, the alarms' topic, parameters."""

from __future__ import annotations

from awacs import bedrock, ecr, kms, logs, s3, secretsmanager, ssm, xray
from awacs.aws import Condition, Statement, StringEquals
from troposphere import GetAtt, Ref, Sub, iam
from troposphere.kms import Key
from troposphere.s3 import Bucket

from stacks.parts import alarm_topic, config_bucket, keys, parameters, secrets
from stacks.parts.bedrock import model_arns
from stacks.parts.policies import allow, arn, role, via
from stacks.parts.secrets import GatewaySecrets
from stacks.settings import Settings
from stacks.wiring import Stack


def build(settings: Settings) -> Stack:
    """Return what every other stack trusts; it imports nothing."""
    stack = Stack(settings, "security", "key, secrets, roles, configuration bucket, alarm topic")
    key = keys.add(stack)
    stack.export("KmsKeyArn", GetAtt(key, "Arn"), "The environment's KMS key")
    own_secrets = secrets.add(stack, key)
    _export_secrets(stack, own_secrets)
    bucket = config_bucket.add(stack, key)
    stack.export(
        "ConfigBucketName", Ref(bucket), "Bucket of LiteLLM's config.yaml and of the functions' code"
    )
    topic = alarm_topic.add(stack, key)
    stack.export("AlarmTopicArn", Ref(topic), "Topic that every alarm rings")
    execution = _execution_role(stack, key, own_secrets)
    stack.export("ExecutionRoleArn", GetAtt(execution, "Arn"), "Role with which ECS starts the tasks")
    task = _task_role(stack, key, bucket)
    stack.export("TaskRoleArn", GetAtt(task, "Arn"), "Role of the running tasks")
    parameters.add(stack)
    return stack


def _export_secrets(stack: Stack, own: GatewaySecrets) -> None:
    stack.export("MasterKeySecretArn", Ref(own.master_key), "LITELLM_MASTER_KEY")
    stack.export("UiPasswordSecretArn", Ref(own.ui_password), "UI_USERNAME, UI_PASSWORD")
    stack.export(
        "ApiKeysSecretArn", Ref(own.api_keys), "OPENAI_API_KEY, ANTHROPIC_API_KEY, AWS_BEDROCK_REGION"
    )
    stack.export("DatabaseSecretArn", Ref(own.database), "username, password of the database's administrator")
    stack.export("SaltKeySecretArn", Ref(own.salt_key), "LITELLM_SALT_KEY")
    if own.cache is not None:
        stack.export("CacheSecretArn", Ref(own.cache), "REDIS_PASSWORD")


def _execution_role(stack: Stack, key: Key, own: GatewaySecrets) -> iam.Role:
    """Pull the image, fetch what is injected, write logs: ECS Developer Guide, "Task execution IAM role"."""
    prefix = stack.settings.prefix
    login = arn("secretsmanager", f"secret:{stack.settings.login_secret_name}-*")
    groups = (stack.settings.log_group, stack.settings.migration_log_group)
    log_groups = [arn("logs", f"log-group:{group}:*") for group in groups]
    injected = [*map(Ref, own.read_by_tasks), login]
    return role(
        stack,
        "ExecutionRole",
        "ecs-tasks.amazonaws.com",
        arn("ecs", "*"),
        allow("EcrLogin", [ecr.GetAuthorizationToken], ["*"]),
        allow("PullOwnImages", _PULL, [arn("ecr", f"repository/{stack.settings.repository_name}")]),
        allow("WriteOwnLogs", [logs.CreateLogStream, logs.PutLogEvents], log_groups),
        allow("ReadOwnSecrets", [secretsmanager.GetSecretValue], injected),
        allow("ReadOwnParameters", [ssm.GetParameters], [arn("ssm", f"parameter/{prefix}/*")]),
        _decrypt(key, "secretsmanager"),
    )


def _task_role(stack: Stack, key: Key, bucket: Bucket) -> iam.Role:
    """Read the configuration, call the configured models; nothing else of the account is open to tasks."""
    return role(
        stack,
        "TaskRole",
        "ecs-tasks.amazonaws.com",
        arn("ecs", "*"),
        allow("ReadConfiguration", [s3.GetObject], [Sub(f"${{{bucket.title}.Arn}}/litellm/*")]),
        _decrypt(key, "s3"),
        *_bedrock(stack.settings),
        *_tracing(stack.settings),
    )


def _bedrock(settings: Settings) -> list[Statement]:
    """The configured models only: Amazon Bedrock User Guide, "Prerequisites for inference profiles"."""
    if not settings.service.bedrock_models:
        return []
    models = [
        found for model in settings.service.bedrock_models for found in model_arns(model, settings.region)
    ]
    return [
        allow("InvokeConfiguredModels", [bedrock.InvokeModel, bedrock.InvokeModelWithResponseStream], models)
    ]


def _tracing(settings: Settings) -> list[Statement]:
    """X-Ray's actions know no resource: Service Authorization Reference, "Actions for AWS X-Ray"."""
    return [allow("SendTraces", _TRACE, ["*"])] if settings.observability.xray else []


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
