"""An ECS cluster: nothing but a name for tasks to run under, and how closely they are measured."""

from __future__ import annotations

from troposphere.ecs import Cluster, ClusterSetting

from stacks.wiring import Stack


def add_cluster(stack: Stack, title: str, name: str) -> Cluster:
    """Add the cluster *name*, with Container Insights where the settings want it."""
    insights = "enabled" if stack.settings.observability.container_insights else "disabled"
    return stack.add(
        Cluster(
            title,
            ClusterName=name,
            ClusterSettings=[ClusterSetting(Name="containerInsights", Value=insights)],
        )
    )
