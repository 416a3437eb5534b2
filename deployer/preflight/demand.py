"""What the built templates need of an account's quotas, minus what the stacks already have. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.manifest import Manifest, StackSpec

Held = Collection[tuple[str, str]]
"""Name of a stack, logical id of what it holds."""
ROLLING = 2
"""Factor on the tasks of a service during a rolling deployment (MaximumPercent 200)."""


@dataclass(frozen=True)
class Wanted:
    """A resource of a template that is still to be made."""

    spec: StackSpec
    logical_id: str
    type: str
    properties: Mapping[str, Any]


Measure = Callable[[Sequence[Wanted]], float]


def wanted(manifest: Manifest, held: Held) -> tuple[Wanted, ...]:
    """Return what is to be created; resources with a condition are left out."""
    return tuple(
        Wanted(spec, logical_id, resource["Type"], resource.get("Properties", {}))
        for spec in manifest.stacks
        for logical_id, resource in json.loads(spec.template).get("Resources", {}).items()
        if "Condition" not in resource and (spec.stack_name, logical_id) not in held
    )


def of(type_: str, **properties: str) -> Measure:
    """Return a counter of the resources of a type, those with these properties if any are given."""

    def count(found: Sequence[Wanted]) -> float:
        return sum(
            one.type == type_ and properties.items() <= one.properties.items()
            for one in (_flat(each) for each in found if each.type == type_)
        )

    return count


def rules_of_a_group(found: Sequence[Wanted]) -> float:
    """Return the most rules of one direction that a security group of the templates has."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        if one.type == "AWS::EC2::SecurityGroup":
            for way in ("Ingress", "Egress"):
                rules = one.properties.get(f"SecurityGroup{way}", ())
                counted[(one.spec.name, one.logical_id, way)] += len(rules)
        elif one.type in {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}:
            group = one.properties.get("GroupId", "")
            name = group.get("Fn::GetAtt", [group.get("Ref")])[0] if isinstance(group, dict) else group
            counted[(one.spec.name, str(name), one.type.removeprefix("AWS::EC2::SecurityGroup"))] += 1
    return max(counted.values(), default=0)


def storage(found: Sequence[Wanted]) -> float:
    """Return the gigabytes that new database instances begin with."""
    sizes = (_gigabytes(one) for one in found if one.type == "AWS::RDS::DBInstance")
    return sum(float(size) for size in sizes if isinstance(size, int | str))


def _gigabytes(database: Wanted) -> Any:
    """Return what the template says, or what its look-up begins with."""
    size = database.properties.get("AllocatedStorage", 0)
    if not isinstance(size, Mapping):
        return size
    return next((one.facts["size"] for one in database.spec.lookups if one.parameter == size.get("Ref")), 0)


def first_vcpus(provider: str) -> Measure:
    """Return a counter of the vCPUs of the tasks that new services start with."""
    return lambda found: sum(cpu * tasks for cpu, tasks, _ in _services(found, provider))


def most_vcpus(provider: str) -> Measure:
    """Return a counter of the vCPUs of the most tasks that scaling may start, during a deployment."""
    return lambda found: sum(cpu * most * ROLLING for cpu, _, most in _services(found, provider))


def _services(found: Sequence[Wanted], provider: str) -> Iterator[tuple[float, int, int]]:
    """Yield vCPUs of a task, tasks at first, tasks at the most, of each new service on *provider*."""
    cpus = {
        (one.spec.name, one.logical_id): one.properties.get("Cpu")
        for one in found
        if one.type == "AWS::ECS::TaskDefinition"
    }
    scaled = [
        one.properties["MaxCapacity"]
        for one in found
        if one.type == "AWS::ApplicationAutoScaling::ScalableTarget"
        and isinstance(one.properties.get("MaxCapacity"), int)
    ]
    for one in found:
        if one.type != "AWS::ECS::Service" or provider not in _providers(one.properties):
            continue
        task = one.properties.get("TaskDefinition", {})
        cpu = cpus.get((one.spec.name, task.get("Ref", ""))) if isinstance(task, dict) else None
        tasks = _count(one)
        if cpu is not None and tasks is not None:
            yield float(cpu) / 1024, tasks, max([tasks, *scaled] if _is_scaled(one) else [tasks])


def _providers(properties: Mapping[str, Any]) -> list[str]:
    """Return the capacity providers of a service; without any, its launch type."""
    strategy = properties.get("CapacityProviderStrategy")
    return [one["CapacityProvider"] for one in strategy] if strategy else [properties.get("LaunchType", "")]


def _count(service: Wanted) -> int | None:
    """Return the tasks that a new service has: as the template says, or as its look-up will say."""
    count = service.properties.get("DesiredCount")
    if isinstance(count, int):
        return count
    rules = (one.facts["count"] for one in service.spec.lookups if one.rule == "desired-count")
    return next((int(one) for one in rules), None)


def _is_scaled(service: Wanted) -> bool:
    """Whether the service's count is looked up: it is the one that scaling may own."""
    return not isinstance(service.properties.get("DesiredCount"), int)


def _flat(one: Wanted) -> Wanted:
    """Return *one* with only those properties that can be compared with text."""
    plain = {key: value for key, value in one.properties.items() if isinstance(value, str)}
    return Wanted(one.spec, one.logical_id, one.type, plain)
