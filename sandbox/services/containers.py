"""
Container definitions that ECS refuses when a task definition is registered; moto accepts them all.

Sources: Amazon ECS API Reference, RegisterTaskDefinition, ContainerDefinition and ContainerDependency (a sum
of `cpu`, or of `memory` and `memoryReservation`, over the task's; HEALTHY without a health check; an unknown
container; conditions of essential containers); Developer Guide, "Amazon ECS service quotas": ten containers.
The messages for the sum of `cpu`, one container's `memory`, COMPLETE and "Too many containers." are ECS's
own, from users' reports; the others are documented nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.provisioning import ProvisionError
from sandbox.rules import fargate

MOST = 10
_AT_ITS_END = frozenset({"COMPLETE", "SUCCESS"})
_ENDS = "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
Container = Mapping[str, Any]


def check(properties: Mapping[str, Any]) -> None:
    """Raise CloudFormation's error about a task definition that ECS refuses."""
    containers: Sequence[Container] = properties.get("ContainerDefinitions", [])
    task = {
        name: int(properties[name]) for name in ("Cpu", "Memory") if str(properties.get(name, "")).isdigit()
    }
    size = _size(task) if "FARGATE" in properties.get("RequiresCompatibilities", ()) else ()
    for problem in (*size, *_set(containers), *_shares(containers, task), *_order(containers)):
        raise ProvisionError(
            f'Resource handler returned message: "Invalid request provided: Create TaskDefinition: {problem} '
            '(Service: AmazonECS; Status Code: 400; Error Code: ClientException)" '
            "(HandlerErrorCode: InvalidRequest)"
        )


def _size(task: Mapping[str, int]) -> Iterator[str]:
    if len(task) == 2 and not fargate.exists(task["Cpu"], task["Memory"]):
        yield fargate.REFUSAL


def _set(containers: Sequence[Container]) -> Iterator[str]:
    if len(containers) > MOST:
        yield "Too many containers."
    for name, count in Counter(one["Name"] for one in containers).items():
        if count > 1:
            yield f"Container names must be unique: '{name}'."
    if containers and not any(_essential(one) for one in containers):
        yield "At least one container must be essential."
    for one in containers:
        variables = {each["Name"] for each in one.get("Environment", [])}
        twice = variables & {each["Name"] for each in one.get("Secrets", [])}
        if twice:
            yield (
                "The secret name must be unique and not shared with any new or existing environment "
                f"variables set on the container, such as '{min(twice)}'."
            )


def _shares(containers: Sequence[Container], task: Mapping[str, int]) -> Iterator[str]:
    if "Cpu" in task and sum(int(one.get("Cpu", 0)) for one in containers) > task["Cpu"]:
        yield "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
    if "Memory" not in task:
        return
    for one in containers:
        if int(one.get("Memory", 0)) > task["Memory"]:
            yield f"The 'memory' setting for container '{one['Name']}' is greater than for the task."
    reserved = (int(one.get("MemoryReservation") or one.get("Memory") or 0) for one in containers)
    if sum(reserved) > task["Memory"]:
        yield "The sum of all container memory reservations cannot be greater than the task's 'memory'."


def _order(containers: Sequence[Container]) -> Iterator[str]:
    there = {one["Name"]: one for one in containers}
    waits: dict[str, set[str]] = {}
    for one in containers:
        for wanted in one.get("DependsOn", []):
            name, condition = wanted["ContainerName"], wanted.get("Condition", "START")
            if name not in there:
                yield f"A container dependency names '{name}', which is no container of the task."
                continue
            waits.setdefault(one["Name"], set()).add(name)
            if condition in _AT_ITS_END and _essential(there[name]):
                yield _ENDS
            if condition == "HEALTHY" and "HealthCheck" not in there[name]:
                yield f"A container dependency with HEALTHY condition needs a health check of '{name}'."
    while free := {name for name, others in waits.items() if not others & waits.keys()}:
        waits = {name: others for name, others in waits.items() if name not in free}
    if waits:
        yield f"The dependencies of the containers {', '.join(sorted(waits))} have a cycle."


def _essential(container: Container) -> bool:
    """Whether the container is essential, the default (Amazon ECS API Reference, ContainerDefinition)."""
    return str(container.get("Essential", True)).lower() == "true"
