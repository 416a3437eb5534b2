"""Cost of monitoring: logs, alarms, dashboards, trails, messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from generator.cost.case import Case, Row, amount
from generator.cost.template import Template, target

DAYS_IN_A_MONTH = 365 / 12
FULL_RESOLUTION_SECONDS = 60
"""Alarms with a shorter period cost three times as much (Amazon CloudWatch pricing)."""


METRICS_LOG = "MetricsLog"
"""Log group to which a task's collector writes metrics; CloudWatch charges them like other custom ones."""


def task_logs(template: Template) -> frozenset[str]:
    """Return the log groups that the tasks of a template's services write to."""
    found = set()
    for service in template.of_type("AWS::ECS::Service"):
        task = template.resource(target(service.properties.get("TaskDefinition")))
        for container in (task.properties.get("ContainerDefinitions") if task else None) or ():
            logging = container.get("LogConfiguration") if isinstance(container, dict) else None
            options = logging.get("Options") if isinstance(logging, dict) else None
            found.add(target(options.get("awslogs-group")) if isinstance(options, dict) else None)
    return frozenset(one for one in found if one)


def log_group(case: Case) -> Iterator[Row]:
    """Yield a log group's ingestion and storage: its share of what the services' tasks write."""
    if case.resource.logical_id == METRICS_LOG:
        yield case.open("metrics", "usage-based: each combination of a metric's names is a custom metric")
        return
    if case.resource.logical_id not in task_logs(case.template):
        yield case.open("log", "usage-based: little is written beside the tasks' own logs")
        return
    share = case.usage.log_gb / max(case.totals.task_logs, 1)
    yield case.priced("log ingestion", "log-gb", share, f"{amount(share)} GB")
    days = case.number("RetentionInDays")
    if not days:
        yield case.open("log storage", "kept for ever: it grows without end")
        return
    kept = share * days / DAYS_IN_A_MONTH
    note = f"{amount(days)} days of it, uncompressed"
    yield case.priced("log storage", "log-gb-month", kept, f"{amount(kept)} GB", note=note)


def alarm(case: Case) -> Iterator[Row]:
    """Yield the metrics of an alarm."""
    queries = case.value("Metrics") or ()
    metrics = sum("MetricStat" in one for one in queries) if queries else 1
    periods = [one["MetricStat"].get("Period", 0) for one in queries if "MetricStat" in one]
    if min([*map(float, periods), case.number("Period", FULL_RESOLUTION_SECONDS)]) < FULL_RESOLUTION_SECONDS:
        yield case.open("alarm", "high resolution: no price with a source")
        return
    words = f"{metrics} {'metric' if metrics == 1 else 'metrics'}"
    yield case.priced("alarm", "alarm-metric-month", metrics, words)


def dashboard(case: Case) -> Iterator[Row]:
    """Yield a dashboard."""
    yield case.priced("dashboard", "dashboard-month", 1, "1")


def trail(case: Case) -> Iterator[Row]:
    """Yield a trail's events: an account's first copy of management events is free."""
    yield case.open(
        "trail", "usage-based: free if it is the account's first; its files are in the bucket's row"
    )


def delivery_stream(case: Case) -> Iterator[Row]:
    """Yield what is delivered to the archive: all that the tasks write."""
    size = case.usage.log_gb
    yield case.priced("logs to the archive", "firehose-gb", size, f"{amount(size)} GB")


def subscription(case: Case) -> Iterator[Row]:
    """Yield the mails of alarms."""
    yield case.open("notifications", "usage-based: cents for as many alarms as a person can read")
