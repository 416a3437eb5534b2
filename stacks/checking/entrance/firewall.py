"""Consistency of the firewall's keys, and warnings about valid ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking.problems import Finding
from stacks.settings import Settings
from stacks.systems import application

EVERYBODY = "0.0.0.0/0"
ROOT_PATH = "SERVER_ROOT_PATH"
"""The variable by which LiteLLM prefixes all its paths (LiteLLM docs, "Custom Root Path")."""


def firewall_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what would leave the administration open although the file restricts it."""
    if settings.alb.admin_cidrs and ROOT_PATH in settings.service.environment:
        message = (
            f"the firewall knows the management routes without the beginning that {ROOT_PATH} gives them, so "
            "they would stay open; remove one of the two"
        )
        yield Finding("alb.admin_cidrs", message, (f"service.environment.{ROOT_PATH}",))


def firewall_advice(settings: Settings) -> Iterator[str]:
    """Yield what has no effect, and what can be bypassed."""
    alb = settings.alb
    if not alb.waf:
        said = {"alb.waf_exempt_cidrs": alb.waf_exempt_cidrs, "alb.waf_rate_key": alb.waf_rate_key != "ip"}
        yield from (f"{key}: without alb.waf there is no rate limit" for key, is_so in said.items() if is_so)
    if alb.waf and alb.waf_rate_key == "forwarded_ip" and EVERYBODY in alb.allowed_cidrs:
        yield (
            "alb.waf_rate_key: forwarded_ip: who connects without the proxy writes X-Forwarded-For at will; "
            "name the proxy's addresses as alb.allowed_cidrs"
        )
    if not alb.drop_invalid_headers:
        yield (
            "alb.drop_invalid_headers: off: a header like x_api_key reaches the tasks too, and programs that "
            "take _ for - read it as another one"
        )
    administers = application(settings.system).administration.paths
    if settings.production and administers and not alb.internal and not alb.admin_cidrs:
        yield "alb.admin_cidrs: empty, so whoever may connect reaches what administers (production)"
