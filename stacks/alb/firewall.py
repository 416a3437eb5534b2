"""The web application firewall: a rate limit per address, and AWS's managed rules, which let prompts be."""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere.wafv2 import (
    AllowAction,
    BlockAction,
    CountAction,
    DefaultAction,
    ManagedRuleGroupStatement,
    OverrideAction,
    RateBasedStatement,
    RuleAction,
    RuleActionOverride,
    Statement,
    VisibilityConfig,
    WebACL,
    WebACLAssociation,
    WebACLRule,
)

from stacks.wiring import Stack

MANAGED = {
    "AWSManagedRulesCommonRuleSet": (
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "SizeRestrictions_BODY",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
    "AWSManagedRulesSQLiRuleSet": ("SQLiExtendedPatterns_BODY", "SQLi_BODY"),
}
"""
Managed rule groups, and of each the rules that look into the body: they only count. A prompt may be longer
than their 8 KB and talk of SQL, scripts and paths; all other rules of the groups, and the rate limit, block.

Source: AWS WAF Developer Guide, "Baseline rule groups" and "Use-case specific rule groups".
"""


def add(stack: Stack, balancer: Ref) -> None:
    """Put the firewall in front of *balancer*."""
    prefix = stack.settings.prefix
    groups = [_managed(prefix, position, name) for position, name in enumerate(MANAGED, start=1)]
    web_acl = WebACL(
        "WebAcl",
        Name=prefix,
        Scope="REGIONAL",
        DefaultAction=DefaultAction(Allow=AllowAction()),
        Rules=[_rate_limit(prefix, stack.settings.alb.waf_rate_limit), *groups],
        VisibilityConfig=_seen_as(prefix),
    )
    stack.add(web_acl, name="waf")
    stack.add(WebACLAssociation("WebAclAssociation", ResourceArn=balancer, WebACLArn=GetAtt(web_acl, "Arn")))


def _rate_limit(prefix: str, limit: int) -> WebACLRule:
    counted = RateBasedStatement(AggregateKeyType="IP", EvaluationWindowSec=300, Limit=limit)
    return WebACLRule(
        Name="RateLimit",
        Priority=0,
        Action=RuleAction(Block=BlockAction()),
        Statement=Statement(RateBasedStatement=counted),
        VisibilityConfig=_seen_as(f"{prefix}-RateLimit"),
    )


def _managed(prefix: str, position: int, name: str) -> WebACLRule:
    count = RuleAction(Count=CountAction())
    group = ManagedRuleGroupStatement(
        VendorName="AWS",
        Name=name,
        RuleActionOverrides=[RuleActionOverride(Name=rule, ActionToUse=count) for rule in MANAGED[name]],
    )
    return WebACLRule(
        Name=name,
        Priority=10 * position,
        OverrideAction=OverrideAction(**{"None": {}}),
        Statement=Statement(ManagedRuleGroupStatement=group),
        VisibilityConfig=_seen_as(f"{prefix}-{name}"),
    )


def _seen_as(metric: str) -> VisibilityConfig:
    return VisibilityConfig(CloudWatchMetricsEnabled=True, MetricName=metric, SampledRequestsEnabled=True)
