"""Sign-in at the load balancer: requirements, and settings that it cannot work with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.checking.entrance.firewall import ROOT_PATH
from stacks.checking.problems import Finding
from stacks.sections.oidc import CALLBACK, Oidc
from stacks.settings import Settings


def sign_in_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what makes sign-in at the load balancer impossible, or bypasses it."""
    alb, service = settings.alb, settings.service
    if alb.oidc is None:
        return
    if not alb.domain_name:
        message = (
            f"the provider sends people back to https://<domain>{CALLBACK}; add alb.domain_name with "
            "alb.hosted_zone_id, or with alb.certificate_arn"
        )
        also = ("alb.domain_name", "alb.certificate_arn", "alb.hosted_zone_id")
        yield Finding("alb.oidc", message, also)
    if alb.internal and settings.closed:
        message = (
            "the load balancer asks the provider for each sign-in, and network.nat_gateways: 0 leaves an "
            "internal one no way there; write 1 or 2, or remove alb.oidc"
        )
        yield Finding("alb.oidc", message, ("alb.internal", "network.nat_gateways", "network.existing_vpc"))
    if service.shifts_traffic:
        message = (
            f"{service.deployment_strategy} moves one rule of the listener, and those that sign people in "
            "would keep leading to the old tasks; use rolling, or remove alb.oidc"
        )
        yield Finding("alb.oidc", message, ("service.deployment_strategy",))
    if ROOT_PATH in service.environment:
        message = (
            f"the load balancer knows the UI's paths without the beginning that {ROOT_PATH} gives them, so "
            "they would stay open; remove one of the two"
        )
        yield Finding("alb.oidc", message, (f"service.environment.{ROOT_PATH}",))
    yield from _ports(alb.oidc)


def _ports(oidc: Oidc) -> Iterator[Finding]:
    """The load balancer speaks to the provider on port 443 ("Prepare to use an OIDC-compliant IdP")."""
    for key in ("token_endpoint", "userinfo_endpoint"):
        port = re.match(r"https://[^/?#]*:(\d+)(?=[/?#]|$)", getattr(oidc, key))
        if port and port[1] != "443":
            message = f"the load balancer reaches port 443 alone, not {port[1]}"
            yield Finding(f"alb.oidc.{key}", message)


def sign_in_advice(settings: Settings) -> Iterator[str]:
    """Yield what is to be done at the provider."""
    alb = settings.alb
    if alb.oidc:
        uri = f"https://{alb.domain_name}{CALLBACK}"
        yield f"alb.oidc: register the redirect URI {uri} at the provider, for alb.oidc.client_id"
