"""Cost of compute: Fargate tasks, their metrics, functions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.cost.case import Case, Row, amount
from generator.cost.template import target
from generator.references import Resource

CPU_UNITS = 1024
"""To a vCPU (Amazon ECS Developer Guide, Task definition parameters)."""

CLUSTER_METRICS, SERVICE_METRICS, FAMILY_METRICS = 13, 15, 10
"""Metrics that Container Insights makes for each cluster, service and task family on Fargate, without those
of EBS, GPUs and restarts (CloudWatch User Guide, "Amazon ECS Container Insights metrics", by dimensions)."""

SCALING_ALARMS = 2
"""Of each target-tracking policy: one to add tasks, one to take them away, charged like others (Application
Auto Scaling User Guide, "Target tracking scaling policies": it creates and manages the alarms)."""


def service(case: Case) -> Iterator[Row]:
    """Yield vCPU and memory of a service's tasks, on demand and Spot, and their public addresses."""
    task = case.template.resource(target(case.resource.properties.get("TaskDefinition")))
    if task is None:
        yield case.open("Fargate tasks", "its task definition is in no template of this environment")
        return
    count, counted = _count(case)
    spot = _spot_share(case, count)
    arm = (case.template.value(task.properties.get("RuntimePlatform")) or {}).get(
        "CpuArchitecture"
    ) == "ARM64"
    kind = "arm" if arm else "x86"
    discount = case.usage.spot_discount_percent / 100
    paid = count * (1 - spot * discount)
    note = f"{'ARM' if arm else 'x86'}, {counted}{_spot_words(spot, case.usage.spot_discount_percent)}"
    for item, name, size, unit in _sizes(case, task):
        words = f"{amount(paid)} x {amount(size)} {unit} x {amount(case.hours)} h"
        yield case.priced(item, f"fargate-{kind}-{name}-hour", paid * size * case.hours, words, note=note)
    network = (case.value("NetworkConfiguration") or {}).get("AwsvpcConfiguration") or {}
    if network.get("AssignPublicIp") == "ENABLED":
        what = f"{amount(count)} tasks x {amount(case.hours)} h"
        yield case.priced("public IPv4 addresses", "ipv4-hour", count * case.hours, what)


def _sizes(case: Case, task: Resource) -> tuple[tuple[str, str, float, str], ...]:
    cpu, memory = (case.template.number(task.properties.get(name), 0) for name in ("Cpu", "Memory"))
    return (
        ("Fargate vCPU", "vcpu", cpu / CPU_UNITS, "vCPU"),
        ("Fargate memory", "gb", memory / 1024, "GB"),
    )


def _count(case: Case) -> tuple[float, str]:
    """Return how many tasks run, and that as text: what the file says, else the minimum of scaling."""
    scaling = next(
        (
            one
            for one in case.template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
            if _scales(one, case)
        ),
        None,
    )
    least = case.template.number(scaling.properties.get("MinCapacity"), 1) if scaling else 1
    count = max(case.number("DesiredCount", least), least if scaling else 0)
    noun = "task" if count == 1 else "tasks"
    if scaling is None:
        return count, f"{amount(count)} {noun}"
    most = case.template.number(scaling.properties.get("MaxCapacity"), count)
    return count, f"{amount(count)} {noun} (scaling: {amount(least)} to {amount(most)})"


def _scales(scalable: Resource, case: Case) -> bool:
    """Whether a scalable target is the service's: its ResourceId names it."""
    return f'"{case.resource.logical_id}"' in str(scalable.properties.get("ResourceId")).replace("'", '"')


def _spot_share(case: Case, count: float) -> float:
    """Return which part of the tasks is Spot: bases first, the rest by weight (ECS API, CreateService)."""
    strategy: Sequence[Mapping[str, Any]] = case.value("CapacityProviderStrategy") or ()
    if not strategy or not count:
        return 0.0
    bases = {one["CapacityProvider"]: min(float(one.get("Base", 0)), count) for one in strategy}
    weights = {one["CapacityProvider"]: float(one.get("Weight", 0)) for one in strategy}
    rest = max(count - sum(bases.values()), 0)
    together = sum(weights.values())
    spot = bases.get("FARGATE_SPOT", 0) + (
        rest * weights.get("FARGATE_SPOT", 0) / together if together else 0
    )
    return min(spot / count, 1.0)


def _spot_words(share: float, percent: float) -> str:
    if not share:
        return ""
    part = "" if share == 1 else f" {amount(share * 100)} % of them"
    return f",{part} Spot at {amount(percent)} % less"


COLLECTOR_VARIABLE = "AOT_CONFIG_CONTENT"
"""The variable by which a container is known to send traces to X-Ray."""


def task_definition(case: Case) -> Iterator[Row]:
    """Yield a row for a task that no service keeps running."""
    users = case.template.of_type("AWS::ECS::Service")
    if not any(target(one.properties.get("TaskDefinition")) == case.resource.logical_id for one in users):
        yield case.open("one-off task", "usage-based: some minutes of Fargate for each release that migrates")
    if COLLECTOR_VARIABLE in str(case.value("ContainerDefinitions")):
        yield case.open("X-Ray traces", "usage-based: by the trace, after 100,000 a month that are free")


def cluster(case: Case) -> Iterator[Row]:
    """Yield the metrics of Container Insights."""
    given = case.value("ClusterSettings") or ()
    insights = next((one.get("Value") for one in given if one.get("Name") == "containerInsights"), "disabled")
    services = [
        one
        for one in case.template.of_type("AWS::ECS::Service")
        if target(one.properties.get("Cluster")) == case.resource.logical_id
    ]
    if insights == "disabled":
        return
    if insights != "enabled" or not services:
        yield case.open("Container Insights metrics", "usage-based: by the tasks that happen to run")
        return
    families = len({target(one.properties.get("TaskDefinition")) for one in services})
    count = CLUSTER_METRICS + SERVICE_METRICS * len(services) + FAMILY_METRICS * families
    parts = (
        (CLUSTER_METRICS, "the cluster"),
        (SERVICE_METRICS, "each service"),
        (FAMILY_METRICS, "each task family"),
    )
    note = ", ".join(f"{metrics} of {what}" for metrics, what in parts)
    words = f"{count} custom metrics"
    yield case.priced(
        "Container Insights metrics", "metric-month", count, words, note=f"{note}; its logs not counted"
    )


def scaling_policy(case: Case) -> Iterator[Row]:
    """Yield the alarms that a policy makes for itself."""
    if case.value("PolicyType") == "TargetTrackingScaling":
        note = "the policy makes them for itself"
        yield case.priced(
            "scaling alarms", "alarm-metric-month", SCALING_ALARMS, f"{SCALING_ALARMS}", note=note
        )


def function(case: Case) -> Iterator[Row]:
    """Yield a function's compute time."""
    memory = case.number("MemorySize", 128) / 1024
    seconds = case.usage.function_seconds
    words = f"{amount(seconds)} s x {amount(memory)} GB"
    note = "requests: less than a cent"
    yield case.priced("function compute", "lambda-gb-second", seconds * memory, words, note=note)
