"""What AWS WAF makes of a request by one rule's statement: as much of its language as our rules use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote

TRANSFORMATIONS: Mapping[str, Callable[[str], str]] = {
    "NONE": lambda text: text,
    "LOWERCASE": str.lower,
    "COMPRESS_WHITE_SPACE": lambda text: re.sub(r"\s+", " ", text),
    "URL_DECODE": unquote,
    "NORMALIZE_PATH": lambda path: re.sub(r"^//", "/", posixpath.normpath(path)),
}


@dataclass(frozen=True)
class Request:
    """One request, as the firewall sees it."""

    path: str = "/v1/chat/completions"
    address: str = "198.51.100.7"
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case."""


@dataclass(frozen=True)
class Firewall:
    """The rules of a built stack, and its sets of addresses by their logical ids."""

    rules: Mapping[str, Mapping[str, Any]]
    addresses: Mapping[str, list[str]]

    @classmethod
    def of(cls, template: Mapping[str, Any]) -> Firewall:
        """Return the one of *template*."""
        found = template["Resources"]
        rules = {one["Name"]: one for one in found["WebAcl"]["Properties"]["Rules"]}
        sets = {
            title: one["Properties"]["Addresses"]
            for title, one in found.items()
            if one["Type"] == "AWS::WAFv2::IPSet"
        }
        return cls(rules, sets)

    def blocks(self, rule: str, request: Request) -> bool:
        """Whether *rule*, which is no rate limit, blocks *request*."""
        return "Block" in self.rules[rule]["Action"] and self.matches(self.rules[rule]["Statement"], request)

    def counts(self, rule: str, request: Request) -> str | None:
        """Return what the rate limit *rule* counts *request* by; None: it does not count it."""
        limit = self.rules[rule]["Statement"]["RateBasedStatement"]
        if "ScopeDownStatement" in limit and not self.matches(limit["ScopeDownStatement"], request):
            return None
        if limit["AggregateKeyType"] == "IP":
            return request.address
        if limit["AggregateKeyType"] == "FORWARDED_IP":
            return _first(request.headers.get(limit["ForwardedIPConfig"]["HeaderName"].lower()))
        (key,) = limit["CustomKeys"]
        value = request.headers.get(key["Header"]["Name"])
        return None if value is None else _transformed(value, key["Header"])

    def matches(self, statement: Mapping[str, Any], request: Request) -> bool:
        """Whether *statement* holds for *request*; one about a missing part does not."""
        ((kind, what),) = statement.items()
        match kind:
            case "AndStatement":
                return all(self.matches(one, request) for one in what["Statements"])
            case "OrStatement":
                return any(self.matches(one, request) for one in what["Statements"])
            case "NotStatement":
                return not self.matches(what["Statement"], request)
            case "IPSetReferenceStatement":
                address: str | None = request.address
                if "IPSetForwardedIPConfig" in what:
                    address = _first(request.headers.get("x-forwarded-for"))
                ranges = self.addresses[what["Arn"]["Fn::GetAtt"][0]]
                return address is not None and any(ip_address(address) in ip_network(one) for one in ranges)
            case "RegexMatchStatement":
                return re.search(what["RegexString"], _transformed(request.path, what)) is not None
            case "SizeConstraintStatement":
                return what["FieldToMatch"]["SingleHeader"]["Name"].lower() in request.headers
        raise AssertionError(kind)


def _transformed(text: str, what: Mapping[str, Any]) -> str:
    for one in sorted(what["TextTransformations"], key=lambda one: one["Priority"]):
        text = TRANSFORMATIONS[one["Type"]](text)
    return text


def _first(forwarded: str | None) -> str | None:
    return forwarded.split(",")[0].strip() if forwarded else None
