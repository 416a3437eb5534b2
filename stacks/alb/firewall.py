"""The web application firewall (AWS WAF): rate limit, AWS's managed rules, rules for administration."""

from __future__ import annotations

from collections.abc import Iterator

from troposphere import GetAtt, Ref
from troposphere.wafv2 import (
    AllowAction,
    CountAction,
    DefaultAction,
    ManagedRuleGroupStatement,
    OverrideAction,
    RuleAction,
    RuleActionOverride,
    Statement,
    WebACL,
    WebACLAssociation,
    WebACLRule,
)

from stacks.alb import administration, firewall_log, rate_limit, sign_in
from stacks.alb.managed_rules import COUNTED
from stacks.alb.metrics import seen_as
from stacks.wiring import Stack


def add(stack: Stack, balancer: Ref) -> None:
    """Put the firewall in front of *balancer*."""
    alb = stack.settings.alb
    answers = {
        **(administration.ANSWERS if alb.admin_cidrs else {}),
        **(sign_in.ANSWERS if alb.oidc else {}),
    }
    web_acl = WebACL(
        "WebAcl",
        Name=stack.prefix,
        Scope="REGIONAL",
        DefaultAction=DefaultAction(Allow=AllowAction()),
        Rules=[*_rules(stack)],
        DataProtectionConfig=firewall_log.protection(),
        VisibilityConfig=seen_as(stack.prefix),
        **({"CustomResponseBodies": answers} if answers else {}),
    )
    stack.add(web_acl, name="waf")
    stack.add(WebACLAssociation("WebAclAssociation", ResourceArn=balancer, WebACLArn=GetAtt(web_acl, "Arn")))
    if alb.waf_logs:
        firewall_log.add(stack, web_acl)


def _rules(stack: Stack) -> Iterator[WebACLRule]:
    alb = stack.settings.alb
    if alb.waf:
        yield from rate_limit.rules(stack)
    yield from administration.rules(stack)
    yield from sign_in.firewall_rules(stack)
    if alb.waf:
        yield from (_managed(stack.prefix, position, name) for position, name in enumerate(COUNTED, start=1))


def _managed(prefix: str, position: int, name: str) -> WebACLRule:
    count = RuleAction(Count=CountAction())
    group = ManagedRuleGroupStatement(
        VendorName="AWS",
        Name=name,
        RuleActionOverrides=[RuleActionOverride(Name=rule, ActionToUse=count) for rule in COUNTED[name]],
    )
    return WebACLRule(
        Name=name,
        Priority=10 * position,
        OverrideAction=OverrideAction(**{"None": {}}),
        Statement=Statement(ManagedRuleGroupStatement=group),
        VisibilityConfig=seen_as(f"{prefix}-{name}"),
    )
