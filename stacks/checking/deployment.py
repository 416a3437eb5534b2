"""Consistency of a deployment strategy's keys, and warnings about them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking.problems import Finding
from stacks.settings import Service, Settings

LEAST_STEP_PERCENT = 3
"""Amazon ECS API Reference, LinearConfiguration, stepPercent."""

CLIENT_PORTS = (80, 443)

BESIDE_MINUTES = 30
"""Least minutes of a deployment beside its planned waits: tasks start and drain, and a rollback."""


def deployment_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the strategy and the keys around it; rolling needs none of them."""
    service, strategy = settings.service, "service.deployment_strategy"
    if not service.shifts_traffic:
        return
    if service.deployment_strategy == "linear" and service.shift_percent < LEAST_STEP_PERCENT:
        message = (
            f"{service.shift_percent} percent is too little; linear steps are {LEAST_STEP_PERCENT} or more"
        )
        yield Finding("service.shift_percent", message, (strategy,))
    counted = {
        "service.requests_per_target": service.requests_per_target,
        "observability.alarms.healthy_tasks": settings.observability.alarms.healthy_tasks,
    }
    for key in (key for key, number in counted.items() if number):
        message = (
            f"counts in one target group, and {service.deployment_strategy} changes between two; "
            "write 0, or use rolling"
        )
        yield Finding(key, message, (strategy,))
    if settings.alb.test_port in CLIENT_PORTS:
        message = f"{settings.alb.test_port} is a listener's of the clients; choose another, like 8443"
        yield Finding("alb.test_port", message, (strategy,))
    yield from _patience(settings)
    yield from _session(settings)


def _patience(settings: Settings) -> Iterator[Finding]:
    """
    Compare the planned waits of a deployment with how long the deployer waits.

    So the total also stays below the 33 hours that CloudFormation takes (AWS::ECS::Service,
    LinearConfiguration).
    """
    service, most = settings.service, settings.deployment.timeout_minutes.service
    waits = planned_minutes(service)
    if waits >= most:
        message = (
            f"a {service.deployment_strategy} deployment waits {waits} minutes, and gatestack only {most} "
            "(deployment.timeout_minutes.service); shorten the one or lengthen the other"
        )
        also = ("service.deployment_strategy", "service.shift_percent", "service.shift_minutes")
        yield Finding("service.bake_minutes", message, (*also, "deployment.timeout_minutes.service"))


def _session(settings: Settings) -> Iterator[Finding]:
    """
    Compare it with the pipelines' sessions: CloudFormation waits with the deployer's credentials.

    Starting tasks, and a rollback if the deployment fails, take time as well.
    """
    hours, waits = settings.pipelines.session_hours, planned_minutes(settings.service)
    beside = max(BESIDE_MINUTES, 2 * (replacing_minutes(settings) - waits))
    if settings.pipelines.configured and waits + beside > hours * 60:
        message = (
            f"a {settings.service.deployment_strategy} deployment waits {waits} minutes and wants "
            f"{beside} more, and a pipeline's session ends after {hours} hours "
            "(pipelines.session_hours), and with it deployment and rollback; shorten the one or lengthen the "
            "other"
        )
        also = ("service.deployment_strategy", "service.shift_percent", "service.shift_minutes")
        yield Finding("service.bake_minutes", message, (*also, "pipelines.session_hours"))


def planned_minutes(service: Service) -> int:
    """Return how long a deployment waits by plan: after each shift of traffic but the last, then baking."""
    shifts = {"rolling": 0, "blue_green": 0, "canary": 1, "linear": -(-100 // service.shift_percent) - 1}
    bake = service.bake_minutes if service.shifts_traffic else 0
    return shifts[service.deployment_strategy] * service.shift_minutes + bake


def replacing_minutes(settings: Settings) -> int:
    """
    Return about how long new tasks take to replace the old ones, rounded up.

    They start, pass the load balancer's health check, and the planned waits pass; then the load balancer
    drains the old ones, and ECS gives them time to stop. ECS's deployment, and with it CloudFormation's
    update, is over when they have stopped (Amazon ECS Developer Guide, "Optimize load balancer connection
    draining parameters").
    """
    service, alb = settings.service, settings.alb
    healthy = alb.health_check.interval_seconds * alb.health_check.healthy_count
    leaving = alb.deregistration_delay_seconds + service.stop_timeout_seconds
    return planned_minutes(service) - (-(service.health_check.start_seconds + healthy + leaving) // 60)


def deployment_advice(settings: Settings) -> Iterator[str]:
    """Warn of what makes a strategy less effective."""
    service, most = settings.service, settings.deployment.timeout_minutes.service
    if replacing_minutes(settings) >= most:
        yield (
            f"deployment.timeout_minutes.service: {most}, and to replace the tasks takes about "
            f"{replacing_minutes(settings)} minutes (alb.deregistration_delay_seconds among them): gatestack "
            "stops waiting before that; lengthen it"
        )
    if not service.shifts_traffic:
        return
    if not service.alarms_roll_back:
        yield (
            "service.deployment_alarms: off, so nothing rolls tasks back that start and then answer badly; "
            f"leave it out with {service.deployment_strategy}"
        )
    if not settings.alb.internal and not settings.alb.test_cidrs:
        yield (
            "alb.test_cidrs: empty, so nobody reaches the test listener of a load balancer that faces "
            "the internet; name who tests"
        )
