"""Alarms that could never ring, or would never stop. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking.problems import Finding
from stacks.settings import Settings


def observability_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the limits of alarms and what they watch."""
    alarms, tasks = settings.observability.alarms, settings.service.min_tasks
    if alarms.healthy_tasks > tasks:
        yield Finding(
            "observability.alarms.healthy_tasks",
            f"{alarms.healthy_tasks} is more than service.min_tasks, {tasks}: it would ring all the time; "
            "raise min_tasks or lower this",
            ("service.min_tasks",),
        )
    patience = settings.alb.idle_timeout_seconds * 1000
    if alarms.latency_milliseconds >= patience:
        yield Finding(
            "observability.alarms.latency_milliseconds",
            f"the load balancer gives up after {patience} ms (alb.idle_timeout_seconds), so this would never "
            "ring; lower it",
            ("alb.idle_timeout_seconds",),
        )
