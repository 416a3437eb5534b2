"""Sidecar containers in a program's task definition."""

from __future__ import annotations

from typing import Any

from troposphere.ecs import ContainerDefinition, ContainerDependency, Environment, HealthCheck, PortMapping
from troposphere.logs import LogGroup

from stacks.application import Injected, Program
from stacks.beside import given, left, sidecars, sizes
from stacks.parts.task import logs, secret
from stacks.sections.beside import Sidecar
from stacks.wiring import Stack


def beside(stack: Stack, program: Program, log_group: LogGroup) -> dict[str, Any]:
    """
    Return what the sidecars add to the task of *program*; empty without sidecars.

    The application's container has the rest as its CPU share and soft memory limit: it may use more while the
    others do not need theirs, and they cannot use its share (Amazon ECS API Reference, ContainerDefinition,
    cpu and memoryReservation; read 2026-11-28).
    """
    found = sidecars(stack.settings, program.name)
    if not found:
        return {}
    size = next(size for one, size in sizes(stack.settings) if one.name == program.name)
    rest = left(size, found)
    sources = given(stack.application, stack.settings, program)
    return {
        "Cpu": rest.cpu,
        "MemoryReservation": rest.memory_mb,
        "containers": [_container(stack, one, sources, log_group) for one in found],
    }


def _container(
    stack: Stack, one: Sidecar, sources: dict[str, Injected], log_group: LogGroup
) -> ContainerDefinition:
    said: dict[str, Any] = {
        "Command": list(one.command),
        "EntryPoint": list(one.entry_point),
        "PortMappings": [PortMapping(ContainerPort=port, Protocol="tcp") for port in one.ports],
        "DependsOn": [
            ContainerDependency(ContainerName=other.container, Condition=other.condition)
            for other in one.depends_on
        ],
        "HealthCheck": _check(one),
        "User": one.user,
    }
    return ContainerDefinition(
        Name=one.name,
        Image=one.image,
        Essential=one.essential,
        Cpu=one.cpu,
        Memory=one.memory_mb,
        Environment=[Environment(Name=name, Value=value) for name, value in sorted(one.environment.items())],
        Secrets=[secret(stack, name, sources[name]) for name in one.secrets],
        ReadonlyRootFilesystem=one.readonly_root,
        LogConfiguration=logs(stack, log_group, one.name),
        **{name: value for name, value in said.items() if value},
    )


def _check(one: Sidecar) -> HealthCheck | None:
    check = one.health_check
    if check is None:
        return None
    return HealthCheck(
        Command=list(check.command),
        Interval=check.interval_seconds,
        Timeout=check.timeout_seconds,
        Retries=check.retries,
        StartPeriod=check.start_seconds,
    )
