"""The optional dashboard: seven graphs on one page. Knows CloudWatch's dashboard JSON, makes nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass

from troposphere import GetAtt, Ref, Sub
from troposphere.cloudwatch import Dashboard
from troposphere.ecs import Cluster, Service

from stacks.wiring import Stack

COLUMNS, WIDTH, HEIGHT = 3, 8, 6
"""A dashboard is 24 units wide (AWS docs, "Dashboard body structure and syntax")."""


@dataclass(frozen=True)
class Graph:
    """One line of one metric; names in ``${…}`` are filled in by CloudFormation."""

    title: str
    namespace: str
    metric: str
    dimensions: tuple[str, ...]
    """Name and value in turn."""
    statistic: str


def add_dashboard(stack: Stack, cluster: Cluster, service: Service) -> None:
    """Add requests, latency, 5xx, tasks, CPU, memory and database connections."""
    widgets = [_widget(number, graph, stack.settings.region) for number, graph in enumerate(_graphs(stack))]
    stack.add(
        Dashboard(
            "Dashboard",
            DashboardName=stack.settings.prefix,
            DashboardBody=Sub(
                json.dumps({"widgets": widgets}, sort_keys=True),
                Alb=stack.imported("alb", "AlbFullName"),
                TargetGroup=stack.imported("alb", "TargetGroupFullName"),
                ClusterName=Ref(cluster),
                ServiceName=GetAtt(service, "Name"),
            ),
        )
    )


def _graphs(stack: Stack) -> tuple[Graph, ...]:
    balancer, alb = "AWS/ApplicationELB", ("LoadBalancer", "${Alb}")
    targets = (*alb, "TargetGroup", "${TargetGroup}")
    tasks = ("ClusterName", "${ClusterName}", "ServiceName", "${ServiceName}")
    database = ("DBInstanceIdentifier", stack.settings.database_identifier)
    return (
        Graph("Requests", balancer, "RequestCount", targets, "Sum"),
        Graph("Seconds to the answer, p95", balancer, "TargetResponseTime", targets, "p95"),
        Graph("5xx of the proxy", balancer, "HTTPCode_Target_5XX_Count", targets, "Sum"),
        Graph("Healthy tasks", balancer, "HealthyHostCount", targets, "Minimum"),
        Graph("CPU, %", "AWS/ECS", "CPUUtilization", tasks, "Average"),
        Graph("Memory, %", "AWS/ECS", "MemoryUtilization", tasks, "Average"),
        Graph("Database connections", "AWS/RDS", "DatabaseConnections", database, "Maximum"),
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
            "metrics": [[graph.namespace, graph.metric, *graph.dimensions]],
            "stat": graph.statistic,
            "period": 300,
            "region": region,
        },
    }
