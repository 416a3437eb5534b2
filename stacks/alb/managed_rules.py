"""
AWS's managed rule groups, and the rules in them that only count, each with the reason.

All other rules block. A rule that counts still appears in its metric and in the firewall's log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "2026-11-28"
SOURCE: Final = "AWS WAF Developer Guide, Baseline rule groups, Use-case specific rule groups"

PROMPT = "a prompt may hold code, markup, paths, addresses and SQL; no gateway runs what is in one"
LONG = "prompts and files are longer than the 8 KB that the rule lets through"
LOOPBACK = (
    "an OAuth client on somebody's own machine names http://127.0.0.1 or http://localhost as its "
    "redirect_uri, and LiteLLM signs people and MCP clients in by OAuth"
)
LOOPBACK_STATE = "the state of such a sign-in, kept in a cookie, may name the same address"
LONG_QUERY = "an OAuth request with its state, scopes and code challenge passes 2,048 bytes"
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
