"""The alarms on a service behind the load balancer: load, answers, latency, healthy and stopped tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troposphere import Ref

from stacks.parts import deployment
from stacks.parts.alarms import Formula, Metric, Percentile, above, add_alarm, at_least, below
from stacks.service.services import Running
from stacks.service.stopped_tasks import tell_of_stopped_tasks
from stacks.wiring import Stack

BALANCER = "AWS/ApplicationELB"
SERVER_ERRORS = "HTTPCode_Target_5XX_Count"

Dimensions = Mapping[str, Any]


def add_service_alarms(stack: Stack, running: Running, *beside: Running) -> None:
    """Add those of S1, "ECS Alarms", and those of `observability.alarms` that are not 0 or false."""
    targets = deployment.all_answers(stack)
    _load(stack, {"ClusterName": Ref(running.cluster), "ServiceName": running.name})
    for name, group in deployment.unhealthy_hosts(stack).items():
        _unhealthy(stack, name, group)
    _errors(stack, targets)
    _error_rate(stack, targets)
    _latency(stack, targets)
    _healthy(stack, targets)
    if stack.settings.observability.alarms.stopped_tasks:
        tell_of_stopped_tasks(stack, running, *beside)


def _load(stack: Stack, tasks: Dimensions) -> None:
    limits = stack.settings.observability.alarms
    add_alarm(
        stack,
        "HighCpu",
        Metric("AWS/ECS", "CPUUtilization", "Average", tasks),
        above(limits.cpu_percent, periods=3, minutes=5),
        meaning=f"The tasks' CPU is over {limits.cpu_percent} %: raise service.max_tasks or service.cpu",
    )
    add_alarm(
        stack,
        "HighMemory",
        Metric("AWS/ECS", "MemoryUtilization", "Average", tasks),
        above(limits.memory_percent, periods=3, minutes=5),
        meaning=(
            f"The tasks' memory is over {limits.memory_percent} %: raise service.memory_mb, "
            "else they are killed"
        ),
    )


def _unhealthy(stack: Stack, name: str, targets: Dimensions) -> None:
    add_alarm(
        stack,
        name,
        Metric(BALANCER, "UnHealthyHostCount", "Maximum", targets, reported_always=False),
        at_least(1, periods=3, minutes=1),
        meaning=f"A task does not answer the load balancer: see log group {stack.log_group_name}",
    )


def _errors(stack: Stack, targets: Dimensions) -> None:
    most = stack.settings.observability.alarms.server_errors
    if most:
        add_alarm(
            stack,
            "ServerErrors",
            _server_errors(targets),
            above(most, periods=2, minutes=5),
            meaning=(
                f"More than {most} answers in 5 minutes were 5xx: see the tasks' log, "
                "then the providers' status"
            ),
        )


def _error_rate(stack: Stack, targets: Dimensions) -> None:
    """
    Look at the part of the answers that are errors (S2, "Recommended Alarms").

    Both counts are reported only while they are not zero (Elastic Load Balancing, "CloudWatch metrics for
    your Application Load Balancer"): no errors are none, and no requests give no rate.
    """
    most = stack.settings.observability.alarms.server_error_percent
    if not most:
        return
    requests = Metric(BALANCER, "RequestCount", "Sum", targets)
    add_alarm(
        stack,
        "ServerErrorRate",
        Formula(
            "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)",
            {"errors": _server_errors(targets), "requests": requests},
        ),
        above(most, periods=2, minutes=5),
        meaning=(
            f"More than {most} % of the answers were 5xx: see the tasks' log, then the providers' status"
        ),
    )


def _server_errors(targets: Dimensions) -> Metric:
    return Metric(BALANCER, SERVER_ERRORS, "Sum", targets, reported_always=False)


def _latency(stack: Stack, targets: Dimensions) -> None:
    """Look at the seconds that the tasks take until they begin to answer; without requests there are none."""
    limits = stack.settings.observability.alarms
    most, rank = limits.latency_milliseconds, Percentile(limits.latency_percentile)
    if most:
        add_alarm(
            stack,
            "HighLatency",
            Metric(BALANCER, "TargetResponseTime", rank, targets, reported_always=False),
            above(most / 1000, periods=3, minutes=5),
            meaning=(
                f"{100 - rank.rank} % of the answers take longer than {most} ms to begin ({rank}): look at "
                "the tasks' CPU and the database, then at the providers; raise service.max_tasks"
            ),
        )


def _healthy(stack: Stack, targets: Dimensions) -> None:
    """Without registered targets nothing is reported, and that is the worst case."""
    least = stack.settings.observability.alarms.healthy_tasks
    if least:
        add_alarm(
            stack,
            "FewHealthyTasks",
            Metric(BALANCER, "HealthyHostCount", "Minimum", targets, needed=True),
            below(least, periods=3, minutes=1),
            meaning=(
                f"Fewer than {least} tasks are healthy: see the events of service "
                f"{stack.service_name}, then log group {stack.log_group_name}"
            ),
        )
