"""CloudWatch metrics of the firewall's rules."""

from __future__ import annotations

from troposphere.wafv2 import VisibilityConfig


def seen_as(metric: str) -> VisibilityConfig:
    """Count as *metric*, and keep samples of three hours for the console."""
    return VisibilityConfig(CloudWatchMetricsEnabled=True, MetricName=metric, SampledRequestsEnabled=True)
