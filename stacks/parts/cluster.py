"""An ECS cluster: a name for tasks to run under, and the level of Container Insights."""

from __future__ import annotations

from typing import Any

from troposphere.ecs import Cluster, ClusterSetting

from stacks.wiring import Stack


def add_cluster(stack: Stack, title: str, name: str, **more: Any) -> Cluster:
    """Add the cluster *name*, with Container Insights where the settings want it, and *more* properties."""
    insights = "enabled" if stack.settings.observability.container_insights else "disabled"
    return stack.add(
        Cluster(
            title,
            ClusterName=name,
            ClusterSettings=[ClusterSetting(Name="containerInsights", Value=insights)],
            **more,
        )
    )
