"""The one way to make an alarm: a metric, a limit, the alarm topic as its action. Knows no resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from troposphere.cloudwatch import Alarm, MetricDimension

from stacks.wiring import Stack


@dataclass(frozen=True)
class Metric:
    """What is measured, and how one period of it becomes one number."""

    namespace: str
    name: str
    statistic: Literal["Average", "Maximum", "Sum"]
    dimensions: Mapping[str, Any]
    reported_always: bool = True
    """False where AWS reports only what happened: no data then means that all is well."""


@dataclass(frozen=True)
class Limit:
    """What is too much (or too little), and for how long."""

    comparison: Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"]
    threshold: float
    periods: int
    minutes: int
    """Length of one period."""


def above(threshold: float, *, periods: int, minutes: int) -> Limit:
    """Return the limit "more than *threshold* in each of *periods* of *minutes*"."""
    return Limit("GreaterThanThreshold", threshold, periods, minutes)


def at_least(threshold: float, *, periods: int, minutes: int) -> Limit:
    """Return the limit "*threshold* or more in each of *periods* of *minutes*"."""
    return Limit("GreaterThanOrEqualToThreshold", threshold, periods, minutes)


def below(threshold: float, *, periods: int, minutes: int) -> Limit:
    """Return the limit "less than *threshold* in each of *periods* of *minutes*"."""
    return Limit("LessThanThreshold", threshold, periods, minutes)


def add_alarm(stack: Stack, name: str, metric: Metric, limit: Limit, *, meaning: str) -> None:
    """
    Add an alarm that tells the alarm topic.

    *name* is its logical id and, after the stack's name, what it is called in CloudWatch; *meaning* is its
    message: what is wrong and what to do.
    """
    stack.add(
        Alarm(
            name,
            AlarmName=f"{stack.settings.stack_name(stack.name)}-{name}",
            AlarmDescription=meaning,
            AlarmActions=[stack.imported("security", "AlarmTopicArn")],
            Namespace=metric.namespace,
            MetricName=metric.name,
            Statistic=metric.statistic,
            Dimensions=[MetricDimension(Name=key, Value=value) for key, value in metric.dimensions.items()],
            ComparisonOperator=limit.comparison,
            Threshold=limit.threshold,
            EvaluationPeriods=limit.periods,
            Period=limit.minutes * 60,
            TreatMissingData="missing" if metric.reported_always else "notBreaching",
        )
    )
