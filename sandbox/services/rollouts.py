"""
Deployments of a service over time: stable, replacing another, or failing. Pure.

Source: AWS API Reference, Deployment; AWS docs, "How the Amazon ECS deployment circuit breaker detects
failures". A rolling update keeps the old tasks until the new ones run (100 percent at least, 200 at most).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import inf
from typing import Any

from sandbox.services.tasks import Origin, Stop, Task

SECONDS = 90.0
"""Virtual seconds of a rolling update, and of a rollback."""
_FIRST = 30.0
"""Seconds until the first task of a deployment runs."""
_ATTEMPTS = 3
"""Tasks that fail before the breaker opens: its lowest threshold."""


@dataclass(frozen=True)
class Deployment:
    """One set of tasks of a service."""

    id: str
    origin: Origin
    begun: float
    fails: bool = False
    gone: frozenset[str] = frozenset()
    """ARNs of tasks that were stopped on request; others replaced them."""

    @property
    def ends(self) -> float:
        """When it is complete, or has failed."""
        return self.begun + SECONDS


@dataclass(frozen=True)
class Rollout:
    """The deployments of a service: the primary one, and the one before it while both exist."""

    primary: Deployment
    before: Deployment | None = None
    events: Sequence[tuple[float, str]] = field(default=())
    """Of the service, oldest first: time, and text."""
    first: bool = False
    """Whether the primary one is the service's first, and in progress: there is none to roll back to."""


def at(rollout: Rollout, name: str, now: float) -> Rollout:
    """Return the rollout of service *name* at *now*, without what has ended."""
    primary, before = rollout.primary, rollout.before
    if (before is None and not rollout.first) or now < primary.ends:
        return rollout
    if not primary.fails:
        said = f"(service {name}) (deployment {primary.id}) deployment completed."
        return Rollout(primary, events=[*rollout.events, (primary.ends, said), (primary.ends, _steady(name))])
    if before is None or now < primary.ends + SECONDS:
        return rollout
    return Rollout(before, events=[*events(rollout, name, now), (primary.ends + SECONDS, _steady(name))])


def events(rollout: Rollout, name: str, now: float) -> list[tuple[float, str]]:
    """Return the service's events, oldest first, with those of a deployment that has just failed."""
    primary, before = rollout.primary, rollout.before
    if not primary.fails or now < primary.ends:
        return list(rollout.events)
    said = f"(service {name}) (deployment {primary.id}) deployment failed: tasks failed to start."
    if before is None:
        return [*rollout.events, (primary.ends, said)]
    back = f"(service {name}) rolling back to deployment {before.id}."
    return [*rollout.events, (primary.ends, said), (primary.ends, back)]


def _steady(name: str) -> str:
    return f"(service {name}) has reached a steady state."


def complete(rollout: Rollout) -> Rollout:
    """Return the rollout with its primary deployment complete at once; if that fails, the previous one."""
    if rollout.primary.fails and rollout.before is not None:
        return Rollout(rollout.before, events=rollout.events)
    begun = rollout.primary.begun - SECONDS
    return Rollout(replace(rollout.primary, begun=begun, fails=False), events=rollout.events)


def tasks(rollout: Rollout, count: int, now: float) -> list[Task]:
    """Return the tasks of a service that wants *count*, also the failed ones of a deployment."""
    found = _failing(rollout.primary) if rollout.primary.fails else _lasting(rollout.primary, count)
    old = _lasting(rollout.before, count) if rollout.before else []
    return [task for task in (*found, *old) if task.created <= now]


def _lasting(deployment: Deployment, count: int) -> list[Task]:
    """Return *count* tasks, the last of which runs when the deployment is complete."""
    numbers, made = iter(range(count + len(deployment.gone))), list[Task]()
    for number in numbers:
        arn = _arn(deployment, number)
        if arn not in deployment.gone and len(made) < count:
            runs = deployment.begun + _FIRST + (SECONDS - _FIRST) * (len(made) + 1) / count
            made.append(Task(arn, deployment.origin, deployment.begun, runs))
    return made


def _failing(deployment: Deployment) -> list[Task]:
    each = SECONDS / _ATTEMPTS
    stop = Stop("EssentialContainerExited", "Essential container in task exited", 1)
    times = [deployment.begun + each * number for number in range(_ATTEMPTS)]
    return [
        Task(_arn(deployment, number), deployment.origin, begun, inf, begun + each, stop)
        for number, begun in enumerate(times)
    ]


def _arn(deployment: Deployment, number: int) -> str:
    id_ = sha256(f"{deployment.id}/{number}".encode()).hexdigest()[:32]
    return f"{deployment.origin.cluster.replace(':cluster/', ':task/')}/{id_}"


def shown(rollout: Rollout, count: int, now: float) -> list[dict[str, Any]]:
    """Return the deployments in the form of DescribeServices, the primary one first."""
    primary, before = rollout.primary, rollout.before
    if before is None:
        ended = "FAILED" if primary.fails else "COMPLETED"
        state = "IN_PROGRESS" if rollout.first and now < primary.ends else ended
        return [_shown(primary, "PRIMARY", state, count, now)]
    if primary.fails and now >= primary.ends:
        reason = "ECS deployment circuit breaker: "
        back = _shown(before, "PRIMARY", "IN_PROGRESS", count, now)
        failed = _shown(primary, "ACTIVE", "FAILED", 0, now)
        back["rolloutStateReason"] = f"{reason}rolling back to deploymentId {before.id}."
        failed["rolloutStateReason"] = f"{reason}tasks failed to start."
        return [back, failed]
    new = _shown(primary, "PRIMARY", "IN_PROGRESS", count, now)
    return [new, _shown(before, "ACTIVE", "COMPLETED", count, now)]


def _shown(deployment: Deployment, status: str, state: str, count: int, now: float) -> dict[str, Any]:
    failing = deployment.fails
    made = _failing(deployment) if failing else _lasting(deployment, count)
    running = sum(task.status(now) == "RUNNING" for task in made)
    pending = count - running
    return {
        "id": deployment.id,
        "status": status,
        "taskDefinition": deployment.origin.definition["taskDefinitionArn"],
        "desiredCount": count,
        "runningCount": running,
        "pendingCount": pending,
        "failedTasks": sum(task.status(now) == "STOPPED" for task in made),
        "createdAt": deployment.begun,
        "updatedAt": min(now, deployment.ends),
        "platformFamily": "Linux",
        "platformVersion": "1.4.0",
        "rolloutState": state,
        "rolloutStateReason": f"ECS deployment {deployment.id} {_SAID[state]}.",
    }


_SAID = {"COMPLETED": "completed", "IN_PROGRESS": "in progress", "FAILED": "failed"}
