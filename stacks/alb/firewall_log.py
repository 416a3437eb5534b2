"""The firewall's log: blocked requests, without clients' secrets."""

from __future__ import annotations

from troposphere import GetAtt
from troposphere.wafv2 import (
    ActionCondition,
    Condition,
    DataProtect,
    DataProtectionConfig,
    FieldToProtect,
    Filter,
    LoggingConfiguration,
    LoggingFilter,
    SingleHeader,
    WebACL,
)
from troposphere.wafv2 import LoggingConfigurationFieldToMatch as Redacted

from stacks.parts.logs import add_log_group
from stacks.parts.policies import arn
from stacks.wiring import Stack

SECRET_HEADERS = (
    "api-key",
    "authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "x-api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "x-mcp-auth",
)
"""
Headers that carry keys and sessions: HTTP's own, and those in which clients of model providers send a key and
LiteLLM reads one (its class SpecialHeaders; 1.93.0 and 1.110.2, read 2026-11-28).
"""


def protection() -> DataProtectionConfig:
    """
    Keep keys and query strings out of what the firewall shows: log, samples, and what a rate counted.

    A query string may hold a key (``?key=`` of Google's clients), an OAuth code or a token. Source: AWS WAF
    Developer Guide, "Data protection".
    """
    headers = FieldToProtect(FieldType="SINGLE_HEADER", FieldKeys=list(SECRET_HEADERS))
    query = FieldToProtect(FieldType="QUERY_STRING")
    fields = [DataProtect(Field=one, Action="SUBSTITUTION") for one in (headers, query)]
    return DataProtectionConfig(DataProtections=fields)


def add(stack: Stack, web_acl: WebACL) -> None:
    """
    Log what *web_acl* blocks; what it lets through is in the load balancer's access log.

    Rules that only count are left out: rules count nearly every long prompt, and each would be a line. The
    group's name must begin so (AWS WAF Developer Guide, "CloudWatch Logs"). AWS itself lets log delivery
    write to it, in a resource policy of the account, as the logging is switched on (CloudWatch Logs User
    Guide, "Logs sent to CloudWatch Logs").
    """
    name = stack.settings.firewall_log_group
    group = add_log_group(stack, "FirewallLogGroup", name)
    stack.add(
        LoggingConfiguration(
            "FirewallLog",
            DependsOn=group.title,
            ResourceArn=GetAtt(web_acl, "Arn"),
            LogDestinationConfigs=[arn("logs", f"log-group:{name}")],
            LoggingFilter=LoggingFilter(
                DefaultBehavior="DROP",
                Filters=[
                    Filter(
                        Behavior="KEEP",
                        Requirement="MEETS_ANY",
                        Conditions=[Condition(ActionCondition=ActionCondition(Action="BLOCK"))],
                    )
                ],
            ),
            RedactedFields=[
                *(Redacted(SingleHeader=SingleHeader(Name=one)) for one in SECRET_HEADERS),
                Redacted(QueryString={}),
            ],
        )
    )
