"""A program of the application as a Fargate task definition. Independent of services and systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troposphere import ImportValue, Join, Ref, Sub
from troposphere.ecs import (
    ContainerDefinition,
    Environment,
    KernelCapabilities,
    LinuxParameters,
    LogConfiguration,
    RuntimePlatform,
    Secret,
    TaskDefinition,
    Tmpfs,
)
from troposphere.logs import LogGroup

from stacks import collector
from stacks.application import FromArn, FromParameter, Injected, Program, camel
from stacks.beside import given
from stacks.confinement import Confinement
from stacks.extensions.finishing import export_of
from stacks.parts import parameters
from stacks.parts.policies import arn
from stacks.parts.task_policy import with_outputs
from stacks.settings import Settings
from stacks.wiring import Stack


def add_task(
    stack: Stack,
    program: Program,
    log_group: LogGroup,
    *,
    cpu: int,
    memory_mb: int,
    containers: Sequence[ContainerDefinition] = (),
    **more: Any,
) -> TaskDefinition:
    """
    Add the task definition of *program*; *more*: further properties of its container.

    Its container is the first one, before the other *containers*.
    """
    limit = {} if containers else {"Memory": memory_mb}  # beside others it has a soft limit, by its share
    own = _container(stack, program, log_group, **_start(program, stack), **limit, **more)
    architecture = {"x86_64": "X86_64", "arm64": "ARM64"}[stack.settings.service.architecture]
    return stack.add(
        TaskDefinition(
            f"{camel(program.name)}Task",
            Family=stack.settings.named(program.name),
            Cpu=str(cpu),
            Memory=str(memory_mb),
            NetworkMode="awsvpc",
            RequiresCompatibilities=["FARGATE"],
            RuntimePlatform=RuntimePlatform(CpuArchitecture=architecture, OperatingSystemFamily="LINUX"),
            ExecutionRoleArn=stack.imported("security", "ExecutionRoleArn"),
            TaskRoleArn=stack.imported("security", "TaskRoleArn"),
            ContainerDefinitions=[own, *containers],
        )
    )


def _container(stack: Stack, program: Program, log_group: LogGroup, **more: Any) -> ContainerDefinition:
    settings = stack.settings
    with_collector = collector.wanted(settings) and program is stack.application.entrance
    variables = {
        **(collector.variables(settings) if with_collector else {}),
        **settings.service.environment,
        **_outputs(program, stack),
        **{name: stack.resolved(value) for name, value in program.variables(settings).items()},
    }
    injected = given(stack.application, settings, program)
    return ContainerDefinition(
        Name=program.container,
        Image=image(settings),
        Essential=True,
        Environment=[Environment(Name=name, Value=value) for name, value in sorted(variables.items())],
        Secrets=[secret(stack, name, source) for name, source in injected.items()],
        LogConfiguration=logs(stack, log_group, program.name),
        **confined(stack.application.confined, settings),
        **more,
    )


def confined(confinement: Confinement, settings: Settings) -> dict[str, Any]:
    """Return the restrictions of a container."""
    read_only = confinement.read_only(settings)
    folders = {"Tmpfs": [Tmpfs(ContainerPath=path, Size=size) for path, size in confinement.writable.items()]}
    without = KernelCapabilities(Drop=["ALL"])
    return {
        **({"User": confinement.user} if confinement.user else {}),
        "ReadonlyRootFilesystem": read_only,
        "LinuxParameters": LinuxParameters(Capabilities=without, **(folders if read_only else {})),
    }


def _outputs(program: Program, stack: Stack) -> dict[str, ImportValue]:
    """
    Return the variables that say outputs of the team's own stacks.

    The migration gets none: such a stack may come after the database.
    """
    migration, said = stack.application.migration, stack.settings.service.environment_from
    if migration and program is migration.program:
        return {}
    return {name: ImportValue(export_of(stack.settings, output)) for name, output in said.items()}


def _start(program: Program, stack: Stack) -> dict[str, Any]:
    """Return the command that replaces the image's own."""
    said = {
        "EntryPoint": list(program.entry_point(stack.settings)),
        "Command": list(program.command(stack.settings)),
        "WorkingDirectory": program.folder,
    }
    return {name: value for name, value in said.items() if value}


def image_name(settings: Settings) -> str:
    """Return the image with its tag or digest: ``dev-litellm:v1.108.7``, or with another registry's path."""
    service = settings.service
    name = settings.repository_name if service.image == "ecr" else service.image
    return f"{name}{'@' if service.image_tag.startswith('sha256:') else ':'}{service.image_tag}"


def image(settings: Settings) -> Sub | str:
    """Return where ECS pulls the image from; the own repository by its name, as a later stack creates it."""
    name = image_name(settings)
    if settings.service.image != "ecr":
        return name
    return Sub(f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{name}")


def secret(stack: Stack, name: str, source: Injected) -> Secret:
    """
    Return what ECS reads as the task starts: one value of a JSON secret, or a parameter.

    So a parameter can be changed without a deployment. Source: ECS Developer Guide, "Pass Secrets Manager
    secrets" and "Pass Systems Manager parameters".
    """
    if isinstance(source, FromArn):
        return Secret(Name=name, ValueFrom=with_outputs(source.arn, stack.settings))
    if isinstance(source, FromParameter):
        return Secret(
            Name=name, ValueFrom=arn("ssm", f"parameter{parameters.path(stack.settings, source.name)}")
        )
    secret, key = stack.resolved(source.secret), f":{source.key}::"
    return Secret(Name=name, ValueFrom=secret + key if isinstance(secret, str) else Join("", [secret, key]))


def logs(stack: Stack, log_group: LogGroup, stream: str) -> LogConfiguration:
    """
    Return how a container writes to *log_group*, each of its streams beginning with *stream*.

    Mode and buffer are explicit: an account can change ECS's default mode (defaultLogDriverMode), and 25 MB
    is the result of AWS's trials. Docker accepts a size with non-blocking only. Sources, read 2026-11-28:
    Amazon ECS API Reference, LogConfiguration; AWS containers blog, "Preventing log loss with non-blocking
    mode in the AWSLogs container log driver"; Docker docs, "Configure logging drivers".
    """
    service = stack.settings.service
    buffer = {"max-buffer-size": f"{service.log_buffer_mb}m"} if service.log_mode == "non-blocking" else {}
    options = {
        "awslogs-group": Ref(log_group),
        "awslogs-region": stack.settings.region,
        "awslogs-stream-prefix": stream,
        "mode": service.log_mode,
        **buffer,
    }
    return LogConfiguration(LogDriver="awslogs", Options=options)
