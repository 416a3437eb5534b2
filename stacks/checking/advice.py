"""Warnings about settings that are valid but probably a mistake, over a whole environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stacks import collector
from stacks.calls.reading import reading
from stacks.checking.database import database_advice
from stacks.checking.database_access import access_advice
from stacks.checking.deployment import deployment_advice
from stacks.checking.entrance.client_certificates import client_certificate_advice
from stacks.checking.entrance.firewall import firewall_advice
from stacks.checking.entrance.sign_in import sign_in_advice
from stacks.checking.observability import observability_advice
from stacks.checking.tasks.sidecars import sidecar_advice
from stacks.checking.tasks.task_policy import task_policy_advice
from stacks.checking.variables import source_advice
from stacks.settings import Settings
from stacks.systems import application


def advice(settings: Settings) -> tuple[str, ...]:
    """Return a sentence for each choice that the user should know about."""
    rest = _production(settings) if settings.production else ()
    return (
        *_examples(settings),
        *application(settings.system).advice(settings),
        *reading(settings).advice,
        *_service(settings),
        *firewall_advice(settings),
        *sign_in_advice(settings),
        *client_certificate_advice(settings),
        *source_advice(settings),
        *_connections(settings),
        *database_advice(settings),
        *access_advice(settings),
        *observability_advice(settings),
        *deployment_advice(settings),
        *sidecar_advice(settings),
        *task_policy_advice(settings),
        *rest,
    )


def _examples(settings: Settings) -> Iterator[str]:
    """Find what was copied from our files and never replaced (RFC 2606 keeps these domains for examples)."""
    written = {
        "alb.domain_name": settings.alb.domain_name,
        "observability.alarm_email": settings.observability.alarm_email,
    }
    for key, value in written.items():
        if value and re.search(r"(^|[.@])example\.(com|net|org)$", value):
            yield f"{key}: {value} is an example; write your own"


def _service(settings: Settings) -> Iterator[str]:
    service = settings.service
    if service.log_level == "DEBUG":
        yield "service.log_level: DEBUG writes keys and prompts to the log"
    if settings.observability.xray and not collector.wanted(settings):
        yield "observability.xray: only the permissions are there; the image has to send the traces by itself"
    if not settings.alb.https and not settings.alb.internal:
        yield "alb: no HTTPS, so keys and prompts travel as clear text; add domain_name or certificate_arn"


def _connections(settings: Settings) -> Iterator[str]:
    """Compare the most connections of all tasks with the alarm on them."""
    service = settings.service
    general = service.config.get("general_settings")
    pool = general.get("database_connection_pool_limit") if isinstance(general, Mapping) else None
    if not isinstance(pool, int) or not settings.database.exists:
        return
    most = service.max_tasks * service.workers * pool
    if most > settings.database.connection_alarm:
        yield (
            f"service.max_tasks: {service.max_tasks} tasks x {service.workers} x {pool} connections are "
            f"{most}, over database.connection_alarm, {settings.database.connection_alarm}; "
            "twice as many while a deployment rolls"
        )


def _production(settings: Settings) -> Iterator[str]:
    """Find what is below S1's "Environment Differences" for production."""
    stores = settings.database.exists
    lower = {
        "alb.waf: off": not settings.alb.waf,
        "alb.deletion_protection: off": not settings.alb.deletion_protection,
        "database.deletion_protection: off": stores and not settings.database.deletion_protection,
        "database.performance_insights: off": stores and not settings.database.performance_insights,
        "database.instance_class: a micro instance": settings.database.engine == "postgres"
        and settings.database.instance_class.endswith(".micro"),
        "service.spot: tasks may be taken away at two minutes' notice": settings.service.spot,
        "service.min_tasks: one task is no redundancy": settings.service.min_tasks < 2,
        "service.execute_command: a command in a task sees its secrets": settings.service.execute_command,
        "network.endpoint_zones: one zone's failure cuts off AWS's services": _one_endpoint_zone(settings),
        "observability.container_insights: off": not settings.observability.container_insights,
        "observability.log_retention_days: under 90": settings.observability.log_retention_days < 90,
        "secrets.rotation_days: over 30": settings.secrets.rotation_days > 30,
        "observability.alarm_email: nobody is told of an alarm": settings.observability.alarm_email is None,
    }
    yield from (f"{what} (production)" for what, is_so in lower.items() if is_so)


def _one_endpoint_zone(settings: Settings) -> bool:
    return settings.network.vpc_endpoints and settings.network.endpoint_zones == 1
