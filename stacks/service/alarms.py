"""Alarms on a service behind the load balancer: load, errors, latency, healthy and stopped tasks."""

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
SERVER_ERRORS = "FILL(target, 0) + FILL(balancer, 0)"
"""
All answers with 5xx: the tasks' and the load balancer's own (502, 503, 504); no answer is in both counts.

Both counts are reported only while they are not zero (Elastic Load Balancing, "CloudWatch metrics for your
Application Load Balancer", read in November 2026).
"""

Dimensions = Mapping[str, Any]


def add_service_alarms(stack: Stack, running: Running, *beside: Running) -> None:
    """Add those of S1, "ECS Alarms", and those of `observability.alarms` that are not 0 or false."""
    targets = deployment.all_answers(stack)
    _load(stack, {"ClusterName": Ref(running.cluster), "ServiceName": running.name})
    for name, group in deployment.unhealthy_hosts(stack).items():
        _unhealthy(stack, name, group)
    _errors(stack, targets)
    _error_rate(stack, targets)
    _client_errors(stack, targets)
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
            Formula(SERVER_ERRORS, _server_errors(stack, targets)),
            above(most, periods=2, minutes=5),
            meaning=(
                f"More than {most} answers in 5 minutes were 5xx, of the tasks or of the load balancer: see "
                "the tasks' log, then the providers' status"
            ),
        )


def _error_rate(stack: Stack, targets: Dimensions) -> None:
    """
    Alarm on the share of answers that are errors (S2, "Recommended Alarms").

    RequestCount has only the requests for which there was a target (the page above): with no healthy task all
    answers are 503 and none is counted. More errors than requests count as a full outage; without requests
    and errors there is no rate.
    """
    most = stack.settings.observability.alarms.server_error_percent
    if not most:
        return
    errors, requests = f"({SERVER_ERRORS})", "FILL(requests, 0)"
    share = f"IF({requests} > 0, 100 * {errors} / {requests}, 0)"
    add_alarm(
        stack,
        "ServerErrorRate",
        Formula(
            f"IF({errors} > {requests}, 100, {share})",
            {**_server_errors(stack, targets), "requests": _requests(targets)},
        ),
        above(most, periods=2, minutes=5),
        meaning=(
            f"More than {most} % of the answers were 5xx, of the tasks or of the load balancer: see the "
            "tasks' log, then the providers' status"
        ),
    )


def _client_errors(stack: Stack, targets: Dimensions) -> None:
    """
    Alarm on the share of requests that the tasks refuse with 4xx.

    A task that lost its database refuses every key and counts as healthy. Few requests cause no alarm: at
    night they may all be a scanner's.
    """
    alarms = stack.settings.observability.alarms
    most, least = alarms.client_error_percent, alarms.client_error_requests
    if not most:
        return
    refused = Metric(BALANCER, "HTTPCode_Target_4XX_Count", "Sum", targets, reported_always=False)
    add_alarm(
        stack,
        "ClientErrorRate",
        Formula(
            f"IF(FILL(requests, 0) >= {least}, 100 * FILL(refused, 0) / FILL(requests, 0), 0)",
            {"refused": refused, "requests": _requests(targets)},
        ),
        above(most, periods=3, minutes=5),
        meaning=(
            f"The tasks refuse more than {most} % of the requests with 4xx: see by the tasks' log whether "
            "one task refuses every key (stop it), or one client is wrong"
        ),
    )


def _requests(targets: Dimensions) -> Metric:
    return Metric(BALANCER, "RequestCount", "Sum", targets, reported_always=False)


def _server_errors(stack: Stack, targets: Dimensions) -> Mapping[str, Metric]:
    """Return what `SERVER_ERRORS` adds up; the load balancer counts its own answers for no target group."""
    own = {"LoadBalancer": stack.imported("alb", "AlbFullName")}
    return {
        "target": Metric(BALANCER, "HTTPCode_Target_5XX_Count", "Sum", targets, reported_always=False),
        "balancer": Metric(BALANCER, "HTTPCode_ELB_5XX_Count", "Sum", own, reported_always=False),
    }


def _latency(stack: Stack, targets: Dimensions) -> None:
    """Alarm on the seconds until the tasks begin to answer; without requests there are none."""
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
    """Alarm on healthy tasks; without registered targets nothing is reported, which is the worst case."""
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
