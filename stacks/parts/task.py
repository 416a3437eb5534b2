"""The two task definitions of the service stack: LiteLLM's proxy, and the migration of its database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troposphere import GetAtt, Join, Ref
from troposphere.ecr import Repository
from troposphere.ecs import (
    ContainerDefinition,
    Environment,
    HealthCheck,
    LogConfiguration,
    PortMapping,
    RuntimePlatform,
    Secret,
    TaskDefinition,
)
from troposphere.logs import LogGroup

from stacks.parts import litellm_config
from stacks.settings import Settings
from stacks.wiring import Stack

CONTAINER = "litellm-proxy"

LIVELINESS = "/health/liveliness"
"""Static and open; ``/health`` calls every model, for money (LiteLLM docs, "Health Checks")."""

OWN_SECRETS = {
    "LITELLM_MASTER_KEY": "MasterKeySecretArn",
    "LITELLM_SALT_KEY": "SaltKeySecretArn",
    "UI_USERNAME": "UiPasswordSecretArn",
    "UI_PASSWORD": "UiPasswordSecretArn",
}
"""Variable, which is the JSON key too -> export of the security stack."""

PROVIDER_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""Provider -> variable and JSON key of the api-keys secret; Bedrock is called with the task's role."""

MIGRATION_CPU = "1024"
MIGRATION_MEMORY = "4096"
"""MB: LiteLLM's own Terraform gives its migrations four gigabytes."""


def proxy_task(stack: Stack, repository: Repository, log_group: LogGroup) -> TaskDefinition:
    """Add what the service runs (S1, "ECS Fargate Task Definition")."""
    service = stack.settings.service
    container = ContainerDefinition(
        Name=CONTAINER,
        Image=_image(stack.settings, repository),
        Essential=True,
        Command=_command(stack.settings),
        PortMappings=[PortMapping(ContainerPort=service.port, Protocol="tcp")],
        Environment=_environment(_variables(stack) | service.environment),
        Secrets=_secrets(stack),
        HealthCheck=_health_check(service.port),
        StopTimeout=service.stop_timeout_seconds,
        # Prisma and the admin UI write into the image's own folders at start.
        ReadonlyRootFilesystem=False,
        LogConfiguration=_logs(stack, log_group, "proxy"),
    )
    size = {"Cpu": str(service.cpu), "Memory": str(service.memory_mb)}
    return _task(stack, "ProxyTask", stack.settings.task_family, container, size)


def migration_task(stack: Stack, repository: Repository, log_group: LogGroup) -> TaskDefinition:
    """Add what runs once to its end before the service changes: the same image, the same login."""
    settings = stack.settings
    variables = _database(stack) | {
        "DISABLE_SCHEMA_UPDATE": "false",
        # Some releases end with success after a failed migration unless they are told not to.
        "ENFORCE_PRISMA_MIGRATION_CHECK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": settings.service.log_level,
        "LITELLM_MODE": "PRODUCTION",
    }
    container = ContainerDefinition(
        Name="litellm-migration",
        Image=_image(settings, repository),
        Essential=True,
        EntryPoint=["python", "litellm/proxy/prisma_migration.py"],
        WorkingDirectory="/app",
        Environment=_environment(settings.service.environment | variables),
        Secrets=_database_secrets(stack),
        ReadonlyRootFilesystem=False,
        LogConfiguration=_logs(stack, log_group, "migration"),
    )
    size = {"Cpu": MIGRATION_CPU, "Memory": MIGRATION_MEMORY}
    return _task(stack, "MigrationTask", f"{settings.prefix}-migration", container, size)


def _task(
    stack: Stack, logical_id: str, family: str, container: ContainerDefinition, size: Mapping[str, str]
) -> TaskDefinition:
    architecture = {"x86_64": "X86_64", "arm64": "ARM64"}[stack.settings.service.architecture]
    return stack.add(
        TaskDefinition(
            logical_id,
            **size,
            Family=family,
            NetworkMode="awsvpc",
            RequiresCompatibilities=["FARGATE"],
            RuntimePlatform=RuntimePlatform(CpuArchitecture=architecture, OperatingSystemFamily="LINUX"),
            ExecutionRoleArn=stack.imported("security", "ExecutionRoleArn"),
            TaskRoleArn=stack.imported("security", "TaskRoleArn"),
            ContainerDefinitions=[container],
        )
    )


def _image(settings: Settings, repository: Repository) -> Any:
    tag = settings.service.image_tag
    suffix = f"@{tag}" if tag.startswith("sha256:") else f":{tag}"
    if settings.service.image == "ecr":
        return Join("", [GetAtt(repository, "RepositoryUri"), suffix])
    return settings.service.image + suffix


def _command(settings: Settings) -> list[str]:
    """
    Return the arguments of LiteLLM's command.

    ``--config`` is there to be given, not to be read: with the bucket set LiteLLM takes the file from S3, but
    its command line looks at general_settings (the connection pool's limit) only when the option is present.
    """
    service = settings.service
    return [
        "--port",
        str(service.port),
        "--num_workers",
        str(service.workers),
        "--config",
        "/app/config.yaml",
    ]


def _variables(stack: Stack) -> dict[str, Any]:
    settings = stack.settings
    always = {
        "DISABLE_SCHEMA_UPDATE": "true",
        "GRACEFUL_SHUTDOWN_TIMEOUT": str(max(settings.service.stop_timeout_seconds - 10, 1)),
        "KEEPALIVE_TIMEOUT": str(settings.alb.idle_timeout_seconds + 5),
        "LITELLM_CONFIG_BUCKET_NAME": stack.imported("security", "ConfigBucketName"),
        "LITELLM_CONFIG_BUCKET_OBJECT_KEY": litellm_config.key(settings),
        "LITELLM_LOG": settings.service.log_level,
        "LITELLM_MODE": "PRODUCTION",
        "STORE_MODEL_IN_DB": "true",
    }
    return always | _database(stack) | _bedrock(settings) | _offline(settings)


def _database(stack: Stack) -> dict[str, Any]:
    """Return where the database is: LiteLLM puts host, name and login together and encodes them by itself."""
    return {
        "DATABASE_HOST": stack.imported("database", "DbEndpoint"),
        "DATABASE_NAME": stack.imported("database", "DbName"),
    }


def _bedrock(settings: Settings) -> dict[str, str]:
    return {"AWS_REGION_NAME": settings.region} if "bedrock" in settings.service.providers else {}


def _offline(settings: Settings) -> dict[str, str]:
    """Without a way out the price list comes from the image: every start would wait for GitHub in vain."""
    closed = settings.network.nat_gateways == 0 and settings.network.existing_vpc is None
    return {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} if closed else {}


def _environment(variables: Mapping[str, Any]) -> list[Environment]:
    return [Environment(Name=name, Value=value) for name, value in sorted(variables.items())]


def _secrets(stack: Stack) -> list[Secret]:
    own = [_secret(name, stack.imported("security", output), name) for name, output in OWN_SECRETS.items()]
    api_keys = stack.imported("security", "ApiKeysSecretArn")
    wanted = [PROVIDER_KEYS[name] for name in stack.settings.service.providers if name in PROVIDER_KEYS]
    return own + [_secret(name, api_keys, name) for name in wanted] + _database_secrets(stack)


def _database_secrets(stack: Stack) -> list[Secret]:
    login = stack.imported("database", "DbSecretArn")
    return [_secret(f"DATABASE_{field.upper()}", login, field) for field in ("username", "password")]


def _secret(name: str, arn: Any, json_key: str) -> Secret:
    """Return one value of a JSON secret (ECS Developer Guide, "Pass Secrets Manager secrets")."""
    return Secret(Name=name, ValueFrom=Join("", [arn, f":{json_key}::"]))


def _health_check(port: int) -> HealthCheck:
    """Return S1's container check; the image has Python, no curl, and ``localhost`` may mean IPv6 there."""
    probe = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}{LIVELINESS}', timeout=5)"
    return HealthCheck(
        Command=["CMD", "python3", "-c", probe], Interval=30, Timeout=10, Retries=5, StartPeriod=180
    )


def _logs(stack: Stack, log_group: LogGroup, stream: str) -> LogConfiguration:
    options = {
        "awslogs-group": Ref(log_group),
        "awslogs-region": stack.settings.region,
        "awslogs-stream-prefix": stream,
    }
    return LogConfiguration(LogDriver="awslogs", Options=options)
