"""What the proxy's task definition and the migration's share: image, database, log. Knows neither of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troposphere import Join, Ref, Sub
from troposphere.ecs import (
    ContainerDefinition,
    Environment,
    LogConfiguration,
    RuntimePlatform,
    Secret,
    TaskDefinition,
)
from troposphere.logs import LogGroup

from stacks.settings import Settings
from stacks.wiring import Stack


@dataclass(frozen=True)
class Login:
    """Where the database is and how a task logs in, as values of a template."""

    host: Any
    name: Any
    secret: Any
    """ARN of the secret with username and password."""


def add_task(
    stack: Stack, title: str, family: str, container: ContainerDefinition, size: Mapping[str, str]
) -> TaskDefinition:
    """Add a task definition for Fargate with one *container* and the roles of the security stack."""
    architecture = {"x86_64": "X86_64", "arm64": "ARM64"}[stack.settings.service.architecture]
    return stack.add(
        TaskDefinition(
            title,
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


def image_name(settings: Settings) -> str:
    """Return the image with its tag or digest: ``dev-litellm:v1.93.0``, or with another registry's path."""
    service = settings.service
    name = settings.repository_name if service.image == "ecr" else service.image
    return f"{name}{'@' if service.image_tag.startswith('sha256:') else ':'}{service.image_tag}"


def image(settings: Settings) -> Sub | str:
    """Return where ECS pulls the image from; the own repository is named, since a later stack makes it."""
    name = image_name(settings)
    if settings.service.image != "ecr":
        return name
    return Sub(f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{name}")


def database_variables(login: Login) -> dict[str, Any]:
    """Return where the database is: LiteLLM puts host, name and login together and encodes them by itself."""
    return {"DATABASE_HOST": login.host, "DATABASE_NAME": login.name}


def database_secrets(login: Login) -> list[Secret]:
    """Return the login itself."""
    return [secret(f"DATABASE_{field.upper()}", login.secret, field) for field in ("username", "password")]


def environment(variables: Mapping[str, Any]) -> list[Environment]:
    """Return *variables* as a container definition has them."""
    return [Environment(Name=name, Value=value) for name, value in sorted(variables.items())]


def secret(name: str, arn: Any, json_key: str) -> Secret:
    """Return one value of a JSON secret (ECS Developer Guide, "Pass Secrets Manager secrets")."""
    return Secret(Name=name, ValueFrom=Join("", [arn, f":{json_key}::"]))


def logs(stack: Stack, log_group: LogGroup, stream: str) -> LogConfiguration:
    """Return how a container writes to *log_group*, each of its streams beginning with *stream*."""
    options = {
        "awslogs-group": Ref(log_group),
        "awslogs-region": stack.settings.region,
        "awslogs-stream-prefix": stream,
    }
    return LogConfiguration(LogDriver="awslogs", Options=options)
