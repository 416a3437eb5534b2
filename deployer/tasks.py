"""A one-off task that runs to its end. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

NO_CAPACITY = "NoCapacity"
"""Code of a `deployer.errors.Transient`: there is no capacity for the task now."""


@dataclass(frozen=True)
class TaskRequest:
    """What a one-off task is started with."""

    cluster: str
    definition: str
    """ARN of the task definition, with its revision."""
    container: str
    """Name of the container whose end is the task's."""
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    token: str = ""
    """The same token means the same task: repeating the request starts no second one."""


@dataclass(frozen=True)
class TaskState:
    """A one-off task as ECS tells it."""

    id: str
    """The ARN."""
    stopped: bool = False
    exit_code: int | None = None
    """Of the container; None while it runs, and if it never did."""
    reason: str = ""
    """Why it stopped, in ECS's words."""
    pretended: bool = False
    """The endpoint has stopped it and knows of no container: it runs no tasks at all."""
