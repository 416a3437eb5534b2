"""The task definition of LiteLLM's proxy."""

from __future__ import annotations

from typing import Any

from troposphere.ecs import ContainerDefinition, HealthCheck, PortMapping, Secret, TaskDefinition
from troposphere.logs import LogGroup

from stacks.checking import limits
from stacks.mirrored import READ_BY_TASKS
from stacks.parts import cache, litellm_config, parameters
from stacks.parts.policies import arn
from stacks.parts.task import (
    Login,
    add_task,
    database_secrets,
    database_variables,
    environment,
    image,
    logs,
    secret,
)
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


def proxy_task(stack: Stack, log_group: LogGroup) -> TaskDefinition:
    """Add what the service runs (S1, "ECS Fargate Task Definition")."""
    settings = stack.settings
    service = settings.service
    login = Login(*(stack.imported("database", output) for output in ("DbEndpoint", "DbName", "DbSecretArn")))
    container = ContainerDefinition(
        Name=CONTAINER,
        Image=image(settings),
        Essential=True,
        Command=_command(settings),
        PortMappings=[PortMapping(ContainerPort=service.port, Protocol="tcp")],
        Environment=environment(_variables(stack, login) | service.environment),
        Secrets=_secrets(stack, login),
        # The level reaches the task by a parameter; without the label an edit of the file would roll nothing.
        DockerLabels={"gatestack.log-level": service.log_level},
        HealthCheck=_health_check(service.port),
        StopTimeout=service.stop_timeout_seconds,
        # Prisma and the admin UI write into the image's own folders at start.
        ReadonlyRootFilesystem=False,
        LogConfiguration=logs(stack, log_group, "proxy"),
    )
    size = {"Cpu": str(service.cpu), "Memory": str(service.memory_mb)}
    return add_task(stack, "ProxyTask", settings.task_family, container, size)


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


def _variables(stack: Stack, login: Login) -> dict[str, Any]:
    settings = stack.settings
    always = {
        "DISABLE_SCHEMA_UPDATE": "true",
        "GRACEFUL_SHUTDOWN_TIMEOUT": str(max(settings.service.stop_timeout_seconds - 10, 1)),
        "KEEPALIVE_TIMEOUT": str(settings.alb.idle_timeout_seconds + 5),
        "LITELLM_CONFIG_BUCKET_NAME": stack.imported("security", "ConfigBucketName"),
        "LITELLM_CONFIG_BUCKET_OBJECT_KEY": litellm_config.key(settings),
        "LITELLM_MODE": "PRODUCTION",
        "STORE_MODEL_IN_DB": "true",
    }
    own = database_variables(login) | cache.variables(stack)
    return always | own | _bedrock(settings) | _offline(settings)


def _bedrock(settings: Settings) -> dict[str, str]:
    return {"AWS_REGION_NAME": settings.region} if "bedrock" in settings.service.providers else {}


def _offline(settings: Settings) -> dict[str, str]:
    """Without a way out the price list comes from the image: every start would wait for GitHub in vain."""
    return {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} if settings.closed else {}


def _secrets(stack: Stack, login: Login) -> list[Secret]:
    own = [secret(name, stack.imported("security", output), name) for name, output in OWN_SECRETS.items()]
    api_keys = stack.imported("security", "ApiKeysSecretArn")
    providers = stack.settings.service.providers
    wanted = [limits.PROVIDER_KEYS[name] for name in providers if name in limits.PROVIDER_KEYS]
    given = [secret(name, api_keys, name) for name in wanted]
    return [*own, *given, *database_secrets(login), *cache.secrets(stack), *_parameters(stack.settings)]


def _parameters(settings: Settings) -> list[Secret]:
    """
    Return what tasks read from parameters at each start, so that it can be changed without a deployment.

    Source: ECS Developer Guide, "Pass Systems Manager parameters". They are of the security stack.
    """
    return [
        Secret(Name=variable, ValueFrom=arn("ssm", f"parameter{parameters.path(settings, name)}"))
        for name, variable in READ_BY_TASKS.items()
    ]


def _health_check(port: int) -> HealthCheck:
    """Return S1's container check; the image has Python, no curl, and ``localhost`` may mean IPv6 there."""
    probe = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}{LIVELINESS}', timeout=5)"
    return HealthCheck(
        Command=["CMD", "python3", "-c", probe], Interval=30, Timeout=10, Retries=5, StartPeriod=180
    )
