"""An environment's ECS services: their state as frozen data, and the protocol that reads it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from deployer.states import StackState

SERVICE_STACK = "service"
PRIMARY = "PRIMARY"
ENTRANCE = "ServiceName"
"""Output of the service that gets the requests; those of others end in it: ``DispatcherServiceName``."""


@dataclass(frozen=True)
class Place:
    """Where a service is."""

    cluster: str
    service: str
    beside: str = ""
    """Its role beside the one that gets the requests: ``dispatcher``; empty for that one itself."""

    @property
    def label(self) -> str:
        """The prefix of progress messages about it."""
        return self.beside or "service"

    @property
    def title(self) -> str:
        """The name of its check."""
        return f"service {self.beside}".rstrip()


@dataclass(frozen=True)
class Deployment:
    """One deployment of the service, as DescribeServices tells it."""

    id: str
    status: str
    """``PRIMARY`` (the newest), ``ACTIVE`` (its tasks are being stopped), ``INACTIVE``."""
    rollout: str
    """``IN_PROGRESS``, ``COMPLETED``, ``FAILED``; empty where the endpoint does not say."""
    reason: str = ""
    desired: int = 0
    running: int = 0
    failed: int = 0
    """Tasks that could not be started, or stopped again."""
    definition: str = ""
    """ARN of the task definition that its tasks run."""


@dataclass(frozen=True)
class Service:
    """A service."""

    arn: str
    name: str
    status: str
    """``ACTIVE``, ``DRAINING``, ``INACTIVE``."""
    desired: int
    running: int
    task_definition: str
    """What the newest deployment runs."""
    deployments: tuple[Deployment, ...]

    @property
    def primary(self) -> Deployment | None:
        """The newest deployment, or the one that ECS rolls back to."""
        return next((one for one in self.deployments if one.status == PRIMARY), None)

    def deployment(self, which: str) -> Deployment | None:
        """Return the deployment with the id *which*; it is forgotten some time after its end."""
        return next((one for one in self.deployments if one.id == which), None)


@dataclass(frozen=True)
class TaskDefinition:
    """What a task definition gives to its containers."""

    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    """Variable -> where ECS takes its value from: a secret's ARN, then ``:json-key::``. No value is in it."""
    image: str = ""
    """Of the application's own container, with tag or digest."""


class Services(Protocol):
    """
    ECS, as far as a rollout needs it.

    Every method may raise what `deployer.cloud.Cloud` raises, and `deployer.errors.NotOffered`.
    """

    def look(self, place: Place) -> Service | None:
        """Return the service; None when there is none."""

    def roll(self, place: Place) -> str:
        """Start new tasks of what it runs, in a new deployment; returns its id."""

    def trouble(self, service: Service) -> tuple[str, ...]:
        """Return why its tasks have stopped; empty if unknown."""


def output(states: Collection[StackState], stack_name: str, key: str) -> str | None:
    """Return an output of the live stack called *stack_name*; None where it has none."""
    outputs = (one for state in states if state.name == stack_name for one in state.outputs)
    return next((one.value for one in outputs if one.key == key), None)


def places_of(states: Collection[StackState], stack_names: Mapping[str, str]) -> tuple[Place, ...]:
    """Return where the services are, the one that gets the requests first; none without their stack."""
    name = stack_names.get(SERVICE_STACK, "")
    cluster = output(states, name, "ClusterName")
    outputs = (one for state in states if state.name == name for one in state.outputs)
    found = {one.key: one.value for one in outputs if one.key.endswith(ENTRANCE) and one.value}
    if not cluster or ENTRANCE not in found:
        return ()
    others = sorted(found.keys() - {ENTRANCE})
    return tuple(Place(cluster, found[key], _beside(key)) for key in (ENTRANCE, *others))


def _beside(key: str) -> str:
    """Return ``event-dispatcher`` for ``EventDispatcherServiceName``."""
    return re.sub(r"(?<=.)(?=[A-Z])", "-", key.removesuffix(ENTRANCE)).lower()


def place_of(states: Collection[StackState], stack_names: Mapping[str, str]) -> Place | None:
    """Return where the service is that gets the requests; None where its stack has not been deployed."""
    return next(iter(places_of(states, stack_names)), None)
