"""A running service: its deployments, its events, and their form in the API."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.gateway.tasks.running import Running
from sandbox.gateway.tasks.scaling import Scaling
from sandbox.services.service_tasks import Place
from sandbox.services.tasks import Origin

_EVENTS = 100
"""Service events that ECS keeps."""
_STOPPED = 20
"""Stopped tasks of a deployment that can still be described."""
Told = Callable[[str | None], None]
"""Called with the reason of a deployment's failure; None if it is complete."""


@dataclass
class Deployment:
    """One set of tasks of a service."""

    origin: Origin
    begun: float
    """Virtual seconds since the epoch."""
    groups: list[tuple[str, int]] = field(default_factory=list)
    """Target groups by ARN that its tasks are registered in, with their port."""
    shifts: bool = False
    """Whether traffic moves to its groups once all of it is healthy; else with each task."""
    id: str = field(default_factory=lambda: f"ecs-svc/{random.randrange(10**19)}")  # noqa: S311 - an id, no secret
    state: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    """Tasks that failed in a row."""
    not_before: float = 0.0
    """Real time of the next start."""
    tasks: list[Running] = field(default_factory=list)
    listed_until: float = 0.0
    """Real time until which it is described, though it has no tasks."""

    @property
    def definition(self) -> str:
        """ARN of its task definition."""
        return str(self.origin.definition["taskDefinitionArn"])

    @property
    def wanted(self) -> list[Running]:
        """Return the tasks that should run."""
        return [task for task in self.tasks if task.wanted]

    @property
    def gone(self) -> bool:
        """Whether it can be forgotten: no task runs, and no request to one is in progress."""
        return all(task.ended for task in self.tasks) and time.monotonic() >= self.listed_until

    def trim(self) -> None:
        """Forget all but the last tasks that have stopped."""
        ended = [task for task in self.tasks if task.ended][:-_STOPPED]
        self.tasks = [task for task in self.tasks if task not in ended]


@dataclass
class Service:
    """One service's data; the first of the deployments is the primary one."""

    place: Place
    deployments: list[Deployment]
    configured: dict[str, Any] = field(default_factory=dict)
    """Settings from calls that moto does not keep."""
    bounds: tuple[int, int] | None = None
    """Least and most tasks of its scalable target, as last read."""
    completed: Deployment | None = None
    """The deployment that a failed one rolls back to."""
    events: list[tuple[float, str]] = field(default_factory=list)
    """Oldest first: time, in virtual seconds, and text."""
    awaited: list[tuple[str, Told]] = field(default_factory=list)
    """Ids of deployments, and the callbacks for their end."""
    leaving: bool = False
    scaling: Scaling = field(default_factory=Scaling)
    measured: float = 0.0
    """Real time of its last measurement for its policies."""
    activities: list[dict[str, Any]] = field(default_factory=list)
    """DescribeScalingActivities' data, newest first."""
    stopped: list[Running] = field(default_factory=list)
    """The last tasks of forgotten deployments."""

    @property
    def primary(self) -> Deployment:
        """The deployment to which all tasks are to belong."""
        return self.deployments[0]

    @property
    def tasks(self) -> list[Running]:
        """All tasks that can be described."""
        return [*(task for one in self.deployments for task in one.tasks), *self.stopped]

    def say(self, now: float, what: str) -> None:
        """Add an event."""
        self.events.append((now, f"(service {self.place.service}) {what}"))
        del self.events[:-_EVENTS]

    def drop_gone(self) -> None:
        """Forget deployments without tasks."""
        kept = [one for one in self.deployments if one is self.primary or not one.gone]
        gone = [task for one in self.deployments if one not in kept for task in one.tasks]
        self.stopped = [*self.stopped, *gone][-_STOPPED:]
        self.deployments = kept

    def shown(self, count: int, now: float) -> list[dict[str, Any]]:
        """Return the deployments in the form of DescribeServices."""
        return [
            _shown(one, count if one is self.primary else 0, now, primary=one is self.primary)
            for one in self.deployments
        ]

    def events_shown(self) -> list[dict[str, Any]]:
        """Return the events in the form of DescribeServices, newest first."""
        return [
            {"id": f"{number}-{self.place.service}", "createdAt": at, "message": said}
            for number, (at, said) in reversed(list(enumerate(self.events)))
        ]


def _shown(deployment: Deployment, count: int, now: float, *, primary: bool) -> dict[str, Any]:
    statuses = [task.status for task in deployment.tasks if task.wanted]
    reason = deployment.reason or f"ECS deployment {deployment.id} {_SAID[deployment.state]}."
    return {
        "id": deployment.id,
        "status": "PRIMARY" if primary else "ACTIVE",
        "taskDefinition": deployment.definition,
        "desiredCount": count,
        "runningCount": statuses.count("RUNNING"),
        "pendingCount": statuses.count("PENDING")
        if not primary
        else max(0, count - statuses.count("RUNNING")),
        "failedTasks": deployment.failed,
        "createdAt": deployment.begun,
        "updatedAt": now,
        "platformFamily": "Linux",
        "platformVersion": "1.4.0",
        "rolloutState": deployment.state,
        "rolloutStateReason": reason,
    }


_SAID = {"COMPLETED": "completed", "IN_PROGRESS": "in progress", "FAILED": "failed"}
