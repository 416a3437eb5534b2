"""The firewall's rate limit: by address, key or forwarded address, and the addresses that are exempt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troposphere.wafv2 import (
    BlockAction,
    ForwardedIPConfiguration,
    IPSet,
    RateBasedStatement,
    RateBasedStatementCustomKey,
    RateLimitHeader,
    RuleAction,
    Statement,
    WebACLRule,
)

from stacks.alb import requests
from stacks.alb.metrics import seen_as
from stacks.wiring import Stack

WINDOW_SECONDS = 300
FORWARDED = "X-Forwarded-For"
_HEADERS = {"authorization": "authorization", "forwarded_ip": FORWARDED}
"""Conditions of a request that it counts."""


def rules(stack: Stack) -> Iterator[WebACLRule]:
    """
    Yield the rate limit, and a second one by address for requests without what the first counts by.

    A rate-based rule passes over a request without its key (AWS WAF Developer Guide, "Aggregating rate-based
    rules"): without the second rule, requests without the header would have no limit.
    """
    alb = stack.settings.alb
    exempt: IPSet | None = None
    if alb.waf_exempt_cidrs:
        exempt = requests.addresses(stack, "ExemptAddresses", "waf-exempt", alb.waf_exempt_cidrs)
    forwarded_by = FORWARDED if alb.waf_rate_key == "forwarded_ip" else None
    spared = [requests.none_of(requests.comes_from(exempt, forwarded_by))] if exempt else []
    yield _rule(stack, "RateLimit", 0, spared, **_counted_by(alb.waf_rate_key))
    header = _HEADERS.get(alb.waf_rate_key)
    if header:
        direct = [requests.none_of(requests.comes_from(exempt))] if exempt else []
        without = requests.none_of(requests.has_header(header))
        yield _rule(stack, "RateLimitWithoutHeader", 1, [without, *direct], AggregateKeyType="IP")


def _counted_by(kind: str) -> dict[str, Any]:
    """
    Return what requests are counted by.

    Case and spaces of the header are normalized, or ``bearer`` for ``Bearer`` would be another client.
    """
    if kind == "authorization":
        header = RateLimitHeader(
            Name="authorization",
            TextTransformations=requests.transformed("LOWERCASE", "COMPRESS_WHITE_SPACE"),
        )
        return {"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [RateBasedStatementCustomKey(Header=header)]}
    if kind == "forwarded_ip":
        forwarded = ForwardedIPConfiguration(HeaderName=FORWARDED, FallbackBehavior="MATCH")
        return {"AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": forwarded}
    return {"AggregateKeyType": "IP"}


def _rule(stack: Stack, name: str, priority: int, only: list[Statement], **by: Any) -> WebACLRule:
    limit = stack.settings.alb.waf_rate_limit
    within = {"ScopeDownStatement": requests.all_of(only)} if only else {}
    counted = RateBasedStatement(EvaluationWindowSec=WINDOW_SECONDS, Limit=limit, **by, **within)
    return WebACLRule(
        Name=name,
        Priority=priority,
        Action=RuleAction(Block=BlockAction()),
        Statement=Statement(RateBasedStatement=counted),
        VisibilityConfig=seen_as(f"{stack.prefix}-{name}"),
    )
