"""Checks across several keys: names, tags, load balancer, database, production. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.checking import limits
from stacks.checking.database import database_findings
from stacks.checking.database_access import access_findings
from stacks.checking.entrance.client_certificates import client_certificate_findings
from stacks.checking.entrance.firewall import firewall_findings
from stacks.checking.entrance.sign_in import sign_in_findings
from stacks.checking.network import network_findings
from stacks.checking.observability import observability_findings
from stacks.checking.pipelines import pipelines_findings
from stacks.checking.problems import Finding, Place
from stacks.checking.service import service_findings
from stacks.checking.stores import store_findings
from stacks.checking.texts import text_findings
from stacks.extensions.agreement import extend_findings
from stacks.sections.network import Alb
from stacks.settings import Settings
from stacks.systems import application


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield everything that is refused although each key by itself is right."""
    yield from _names(settings)
    yield from _tags(settings.tags)
    for number, one in enumerate(settings.extend.stacks):
        yield from _tags({**settings.tags, **one.tags}, "extend.stacks", (number, "tags"))
    yield from text_findings(settings)
    yield from network_findings(settings)
    yield from _alb(settings)
    yield from firewall_findings(settings)
    yield from sign_in_findings(settings)
    yield from client_certificate_findings(settings)
    yield from database_findings(settings)
    yield from store_findings(settings)
    yield from service_findings(settings)
    yield from observability_findings(settings)
    yield from pipelines_findings(settings)
    yield from extend_findings(settings)
    yield from access_findings(settings, supported=application(settings.system).takes_tokens)
    yield from application(settings.system).findings(settings)
    if settings.production:
        yield from _production(settings)


def _names(settings: Settings) -> Iterator[Finding]:
    for kind, (pattern, limit) in limits.RESOURCE_NAMES.items():
        name = pattern.format(prefix=settings.prefix)
        if len(name) > limit:
            over = len(name) - limit
            message = f"the {kind} would be called {name}, {over} over AWS's {limit} characters; shorten it"
            yield Finding("environment", message, ("system",))


def _tags(tags: dict[str, str], where: str = "tags", below: Place = ()) -> Iterator[Finding]:
    most = limits.TAGS_OF_A_RESOURCE - len(limits.OWN_TAGS)
    if len(tags) > most:
        text = f"{len(tags)} tags; AWS has room for {most} beside gatestack's own"
        yield Finding(where, text, below=below)
    seen = {name.casefold(): f"gatestack's own tag {name}" for name in limits.OWN_TAGS}
    for key, value in tags.items():
        same = seen.setdefault(key.casefold(), f"the tag {key}")
        if same != f"the tag {key}":
            message = f"is the same as {same} (IAM does not tell upper from lower case); rename it"
            yield Finding(where, message, below=(*below, key))
        for rule, kept in (
            ("names that begin with aws: belong to AWS; rename it", not key.casefold().startswith("aws:")),
            (
                limits.TAG_KEY_RULE,
                re.fullmatch(limits.TAG_TEXT, key) and 1 <= len(key) <= limits.TAG_KEY_LENGTH,
            ),
            (
                limits.TAG_VALUE_RULE,
                re.fullmatch(limits.TAG_TEXT, value) and 1 <= len(value) <= limits.TAG_VALUE_LENGTH,
            ),
        ):
            if not kept:
                yield Finding(where, rule, below=(*below, key))


def _alb(settings: Settings) -> Iterator[Finding]:
    """Certificates: CloudFormation User Guide, AWS::CertificateManager::Certificate, DNS validation."""
    alb = settings.alb
    if alb.domain_name and not alb.hosted_zone_id and not alb.certificate_arn:
        message = (
            "without hosted_zone_id nobody answers the certificate's validation and the stack waits for it; "
            "add alb.hosted_zone_id, or alb.certificate_arn of a certificate that is there"
        )
        yield Finding("alb.domain_name", message, ("alb.hosted_zone_id", "alb.certificate_arn"))
    if alb.hosted_zone_id and not alb.domain_name:
        yield Finding(
            "alb.hosted_zone_id", "says where, not which name; add alb.domain_name", ("alb.domain_name",)
        )
    if alb.certificate_arn:
        yield from _certificate(alb.certificate_arn, settings)
    yield from _health(alb)
    yield from _ranges(alb)


def _health(alb: Alb) -> Iterator[Finding]:
    """Elastic Load Balancing refuses it: "Health check interval must be greater than the timeout"."""
    check, key = alb.health_check, "alb.health_check"
    if check.timeout_seconds >= check.interval_seconds:
        message = (
            f"{check.timeout_seconds} seconds is not less than interval_seconds, {check.interval_seconds}; "
            "lower the one or raise the other"
        )
        yield Finding(f"{key}.timeout_seconds", message, (f"{key}.interval_seconds",))


def _ranges(alb: Alb) -> Iterator[Finding]:
    """EC2 takes no rule of a security group twice, and AWS WAF no address of a set."""
    for name in ("allowed_cidrs", "test_cidrs", "waf_exempt_cidrs", "admin_cidrs"):
        key, ranges = f"alb.{name}", getattr(alb, name)
        for index, cidr in enumerate(ranges):
            if cidr in ranges[:index]:
                yield Finding(key, f"{cidr} stands twice; keep one of them", below=(index,))


def _certificate(arn: str, settings: Settings) -> Iterator[Finding]:
    _, _, _, region, account, _ = arn.split(":", 5)
    if region != settings.region:
        message = f"the certificate is in {region}; the load balancer needs one of {settings.region}"
        yield Finding("alb.certificate_arn", message, ("region",))
    if settings.account not in {None, account}:
        message = f"the certificate belongs to account {account}; the load balancer's is {settings.account}"
        yield Finding("alb.certificate_arn", message, ("account",))


def _production(settings: Settings) -> Iterator[Finding]:
    tier = ("tier",)
    if settings.deployment.mode == "express":
        message = (
            "express is for tier dev: CloudFormation does not roll back what fails after a stack has ended; "
            "write standard"
        )
        yield Finding("deployment.mode", message, tier)
    if settings.database.engine == "postgres" and not settings.database.multi_az:
        yield Finding(
            "database.multi_az", "production needs true: one zone's failure must not lose the database", tier
        )
    if settings.database.exists and settings.database.backup_retention_days < limits.PRODUCTION_BACKUP_DAYS:
        message = f"production needs {limits.PRODUCTION_BACKUP_DAYS} days or more"
        yield Finding("database.backup_retention_days", message, tier)
    if not settings.alb.https and not settings.alb.internal:
        message = (
            "production needs HTTPS: add domain_name and hosted_zone_id, or certificate_arn "
            "(or internal: true, for a load balancer that only the VPC reaches)"
        )
        yield Finding("alb", message, (*tier, "alb.domain_name", "alb.certificate_arn", "alb.internal"))
    if settings.service.log_level == "DEBUG":
        message = "DEBUG writes keys and prompts to the log; INFO, WARNING or ERROR in production"
        yield Finding("service.log_level", message, tier)
    if re.fullmatch(limits.MOVING_TAG, settings.service.image_tag):
        message = f"{settings.service.image_tag} moves with each release; production pins one, like v1.108.7"
        yield Finding("service.image_tag", message, tier)
