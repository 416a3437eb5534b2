"""The only way to create an alarm: a metric, a threshold, the topic as its action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from troposphere import cloudwatch
from troposphere.cloudwatch import Alarm, MetricDataQuery, MetricDimension, MetricStat

from stacks.application import Export
from stacks.wiring import Stack

Statistic: TypeAlias = Literal["Average", "Maximum", "Minimum", "Sum"]


class Percentile(NamedTuple):
    """The value that so many percent of the values do not exceed."""

    rank: int

    def __str__(self) -> str:
        """Return it as CloudWatch writes it: ``p95``."""
        return f"p{self.rank}"


class Metric(NamedTuple):
    """What is measured, and how one period of it becomes one number."""

    namespace: str
    name: str
    statistic: Statistic | Percentile
    dimensions: Mapping[str, Any]
    reported_always: bool = True
    """False if AWS reports only what happened: no data then means that all is well."""
    needed: bool = False
    """True if no data means that nothing is left to measure, which the alarm is about."""


class Formula(NamedTuple):
    """
    What is computed from several metrics in each period (CloudWatch User Guide, "Using metric math").

    No result, as without requests, means that all is well.
    """

    expression: str
    metrics: Mapping[str, Metric]
    """By their names in *expression*, which begin with a lower-case letter."""


class Limit(NamedTuple):
    """The limit of a metric, and for how long it may be exceeded."""

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


def add_alarm(
    stack: Stack, name: str, measured: Metric | Formula, limit: Limit, *, meaning: str, topic: Any = None
) -> None:
    """
    Add an alarm that notifies the alarm topic.

    *name* is its logical id and, after the stack's name, what it is called in CloudWatch; *meaning* is its
    message: what is wrong and what to do. The message also names the row of the page for the night: alarms of
    one kind that are numbered, as those of Redis's nodes, share one. *topic*: for a stack that does not
    import the environment's own.
    """
    seconds = limit.minutes * 60
    row = f"{stack.name}-{name.rstrip('0123456789')}"
    what = _single(measured, seconds) if isinstance(measured, Metric) else _computed(measured, seconds)
    stack.add(
        Alarm(
            name,
            AlarmName=f"{stack.settings.stack_name(stack.name)}-{name}",
            AlarmDescription=f"{meaning} (gatestack docs operations, {row})",
            AlarmActions=[topic or stack.resolved(Export("security", "AlarmTopicArn"))],
            ComparisonOperator=limit.comparison,
            Threshold=limit.threshold,
            EvaluationPeriods=limit.periods,
            **what,
        )
    )


def _single(metric: Metric, seconds: int) -> dict[str, Any]:
    statistic = "ExtendedStatistic" if isinstance(metric.statistic, Percentile) else "Statistic"
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        statistic: str(metric.statistic),
        "Dimensions": _dimensions(metric),
        "Period": seconds,
        "TreatMissingData": _without_data(metric),
    }


def _without_data(metric: Metric) -> str:
    if metric.needed:
        return "breaching"
    return "missing" if metric.reported_always else "notBreaching"


def _computed(formula: Formula, seconds: int) -> dict[str, Any]:
    """Return the queries; the alarm uses the one that returns data."""
    result = MetricDataQuery(Id="result", Expression=formula.expression, ReturnData=True)
    parts = [_query(name, metric, seconds) for name, metric in formula.metrics.items()]
    return {"Metrics": [result, *parts], "TreatMissingData": "notBreaching"}


def _query(name: str, metric: Metric, seconds: int) -> MetricDataQuery:
    source = cloudwatch.Metric(
        Namespace=metric.namespace, MetricName=metric.name, Dimensions=_dimensions(metric)
    )
    stat = MetricStat(Metric=source, Period=seconds, Stat=str(metric.statistic))
    return MetricDataQuery(Id=name, MetricStat=stat, ReturnData=False)


def _dimensions(metric: Metric) -> list[MetricDimension]:
    return [MetricDimension(Name=key, Value=value) for key, value in metric.dimensions.items()]
