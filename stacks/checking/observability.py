"""Alarms that could never fire, or would always fire; archives that keep nothing longer. Pure."""

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
            f"{alarms.healthy_tasks} is more than service.min_tasks, {tasks}: it would fire all the time; "
            "raise min_tasks or lower this",
            ("service.min_tasks",),
        )
    patience = settings.alb.idle_timeout_seconds * 1000
    if alarms.latency_milliseconds >= patience:
        yield Finding(
            "observability.alarms.latency_milliseconds",
            f"the load balancer gives up after {patience} ms (alb.idle_timeout_seconds), so this would never "
            "fire; lower it",
            ("alb.idle_timeout_seconds",),
        )
    yield from _archive(settings)


def _archive(settings: Settings) -> Iterator[Finding]:
    kept, archived = settings.observability.log_retention_days, settings.observability.log_archive_days
    if 0 < archived <= kept:
        message = f"{archived} is not more than log_retention_days, {kept}; more, or 0 for no archive"
        yield Finding("observability.log_archive_days", message, ("observability.log_retention_days",))


def observability_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each option that costs more than it seems (AWS CloudTrail pricing)."""
    if settings.observability.cloudtrail:
        yield (
            "observability.cloudtrail: AWS charges each management event of a second trail; see whether the "
            "account has one, of its own or of its organization: aws cloudtrail describe-trails"
        )
    if settings.observability.log_archive_days and settings.network.flow_logs:
        yield (
            "observability.log_archive_days: flow logs are archived too, and Firehose charges each gigabyte; "
            "network.flow_logs: false spares it"
        )
