"""The optional CloudWatch dashboard: a page of graphs."""

from __future__ import annotations

import json
from typing import NamedTuple

from troposphere import Ref, Sub
from troposphere.cloudwatch import Dashboard

from stacks.parts import deployment
from stacks.service.services import Running
from stacks.settings import Settings
from stacks.wiring import Stack

BALANCER = "AWS/ApplicationELB"

_BALANCER = ("LoadBalancer", "${Alb}")

COLUMNS, WIDTH, HEIGHT = 3, 8, 6
"""A dashboard is 24 units wide (AWS docs, "Dashboard body structure and syntax")."""


class Line(NamedTuple):
    """One metric and how it is drawn; names in ``${…}`` are filled in by CloudFormation."""

    namespace: str
    dimensions: tuple[str, ...]
    """Names and values, alternating."""
    metric: str
    statistic: str


class Graph(NamedTuple):
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]
    seconds: int = 300
    """What one point stands for."""


def add_dashboard(stack: Stack, running: Running) -> None:
    """Add what S2, "Key Metrics to Monitor", lists: answers, targets, tasks, database."""
    groups = [dimensions["TargetGroup"] for dimensions in deployment.unhealthy_hosts(stack).values()]
    targets = {f"TargetGroup{number}": group for number, group in enumerate(groups)}
    graphs = (
        *_answers(tuple(targets)),
        _health(tuple(targets)),
        *_tasks(),
        *_database(stack.settings),
        *_cache(stack.settings),
    )
    widgets = [_widget(number, graph, stack.settings.region) for number, graph in enumerate(graphs)]
    stack.add(
        Dashboard(
            "Dashboard",
            DashboardName=stack.settings.prefix,
            DashboardBody=Sub(
                json.dumps({"widgets": widgets}, sort_keys=True),
                Alb=stack.imported("alb", "AlbFullName"),
                ClusterName=Ref(running.cluster),
                ServiceName=running.name,
                **targets,
            ),
        )
    )


def _lines(namespace: str, dimensions: tuple[str, ...], *drawn: tuple[str, str]) -> tuple[Line, ...]:
    return tuple(Line(namespace, dimensions, metric, statistic) for metric, statistic in drawn)


def _group(name: str) -> tuple[str, ...]:
    return ("LoadBalancer", "${Alb}", "TargetGroup", f"${{{name}}}")


def _answers(groups: tuple[str, ...]) -> tuple[Graph, ...]:
    """Return the graphs of all answers; where the tasks change groups, the load balancer counts for both."""
    source = _group(groups[0]) if len(groups) == 1 else _BALANCER
    latency = [("TargetResponseTime", percentile) for percentile in ("p50", "p95", "p99")]
    errors = [(f"HTTPCode_Target_{kind}_Count", "Sum") for kind in ("5XX", "4XX")]
    own = [(f"HTTPCode_ELB_{kind}_Count", "Sum") for kind in ("5XX", "4XX")]
    return (
        Graph("Requests", _lines(BALANCER, source, ("RequestCount", "Sum"))),
        Graph("Seconds until the answer", _lines(BALANCER, source, *latency)),
        Graph("Errors", (*_lines(BALANCER, source, *errors), *_lines(BALANCER, _BALANCER, *own))),
    )


def _health(groups: tuple[str, ...]) -> Graph:
    drawn = (("HealthyHostCount", "Minimum"), ("UnHealthyHostCount", "Maximum"))
    lines = [line for name in groups for line in _lines(BALANCER, _group(name), *drawn)]
    return Graph("Healthy and unhealthy tasks", tuple(lines))


def _tasks() -> tuple[Graph, ...]:
    """
    Return the tasks' graphs; each running task reports its CPU once a minute, so the reports are the tasks.

    Source: Amazon ECS Developer Guide, "Amazon ECS service RUNNING task count".
    """
    tasks = ("ClusterName", "${ClusterName}", "ServiceName", "${ServiceName}")
    return (
        Graph("Running tasks", _lines("AWS/ECS", tasks, ("CPUUtilization", "SampleCount")), seconds=60),
        Graph("CPU, %", _lines("AWS/ECS", tasks, ("CPUUtilization", "Average"))),
        Graph("Memory, %", _lines("AWS/ECS", tasks, ("MemoryUtilization", "Average"))),
    )


def _database(settings: Settings) -> tuple[Graph, ...]:
    """
    Return the database's graphs; the last shows the resource that can run out, with Aurora its capacity.
    """
    if not settings.database.exists:
        return ()
    source = (settings.database.dimension, settings.database_identifier)
    rest = (
        Graph("Database capacity, %", _lines("AWS/RDS", source, ("ACUUtilization", "Maximum")))
        if settings.database.aurora
        else Graph("Database's free bytes", _lines("AWS/RDS", source, ("FreeStorageSpace", "Minimum")))
    )
    return (
        Graph("Database connections", _lines("AWS/RDS", source, ("DatabaseConnections", "Maximum"))),
        Graph("Database CPU, %", _lines("AWS/RDS", source, ("CPUUtilization", "Average"))),
        rest,
    )


def _cache(settings: Settings) -> tuple[Graph, ...]:
    """Return the graphs of Redis, a line a node."""
    if not settings.cache.exists:
        return ()
    nodes = [
        ("CacheClusterId", f"{settings.cache_identifier}-{number:03d}")
        for number in range(1, settings.cache.nodes + 1)
    ]
    drawn = {
        "Redis memory, %": ("DatabaseMemoryUsagePercentage", "Average"),
        "Redis core, %": ("EngineCPUUtilization", "Average"),
        "Redis evictions": ("Evictions", "Sum"),
    }
    return tuple(
        Graph(title, tuple(line for node in nodes for line in _lines("AWS/ElastiCache", node, what)))
        for title, what in drawn.items()
    )


def _widget(number: int, graph: Graph, region: str) -> dict[str, object]:
    row, column = divmod(number, COLUMNS)
    return {
        "type": "metric",
        "x": column * WIDTH,
        "y": row * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": graph.title,
            "metrics": [_drawn(line) for line in graph.lines],
            "period": graph.seconds,
            "region": region,
        },
    }


def _drawn(line: Line) -> list[object]:
    options = {"stat": line.statistic, "label": f"{line.metric} {line.statistic}"}
    return [line.namespace, line.metric, *line.dimensions, options]
