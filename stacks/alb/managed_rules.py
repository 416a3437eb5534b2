"""
AWS's managed rule groups, and the rules in them that only count, each with the reason.

All other rules block. A rule that counts still appears in its metric and in the firewall's log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "2026-11-28"
SOURCE: Final = "AWS WAF Developer Guide, Baseline rule groups, Use-case specific rule groups"

PROMPT = "prompts can contain code, markup, paths, addresses and SQL, which the gateway does not execute"
LONG = "prompts and files exceed the rule's limit of 8 KB"
LOOPBACK = (
    "OAuth clients on a user's own machine have a redirect_uri of http://127.0.0.1 or http://localhost; "
    "people and MCP clients sign in to LiteLLM with OAuth"
)
LOOPBACK_STATE = "the state of an OAuth sign-in, in a cookie, can contain such a redirect_uri"
LONG_QUERY = "OAuth requests with state, scopes and code challenge exceed 2,048 bytes"
COUNTED: Final[Mapping[str, Mapping[str, str]]] = {
    "AWSManagedRulesCommonRuleSet": {
        "CrossSiteScripting_BODY": PROMPT,
        "EC2MetaDataSSRF_BODY": PROMPT,
        "EC2MetaDataSSRF_COOKIE": LOOPBACK_STATE,
        "EC2MetaDataSSRF_QUERYARGUMENTS": LOOPBACK,
        "GenericLFI_BODY": PROMPT,
        "GenericRFI_BODY": PROMPT,
        "GenericRFI_QUERYARGUMENTS": LOOPBACK,
        "SizeRestrictions_BODY": LONG,
        "SizeRestrictions_QUERYSTRING": LONG_QUERY,
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "JavaDeserializationRCE_BODY": PROMPT,
        "Log4JRCE_BODY": PROMPT,
        "ReactJSRCE_BODY": PROMPT,
    },
    "AWSManagedRulesSQLiRuleSet": {
        "SQLiExtendedPatterns_BODY": PROMPT,
        "SQLi_BODY": PROMPT,
    },
}
"""
Managed rule group -> those of its rules that count, and why.

Left to block, since no route of LiteLLM needs what they stop: cross-site scripting, SQL injection and paths
out of a folder in query arguments, all rules for URI paths, and requests without a User-Agent.
"""
