"""
Which rule of a listener matches a request. Pure.

Source: User Guide for Application Load Balancers, "Listener rules" (in order of priority, the default rule
last) and "Condition types for listener rules" (all conditions of a rule, any value of a condition; ``*`` for
any characters, ``?`` for one; paths compared as they were sent, case and all, without the query; host names,
header names and values, and query strings without case; methods exactly; source-ip: the address that
connects, whatever X-Forwarded-For says). RegexValues: Elastic Load Balancing API Reference, "RuleCondition".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl

from sandbox.gateway.balancer.asked import Asked
from sandbox.gateway.balancer.view import Rule

Json = Any


def chosen(rules: Sequence[Rule], asked: Asked) -> Rule | None:
    """Return the first of *rules*, which are ordered, whose conditions match *asked*."""
    return next((rule for rule in rules if met(rule.conditions, asked)), None)


def met(conditions: Iterable[Mapping[str, Json]], asked: Asked) -> bool:
    """Whether *asked* matches all *conditions*; an unknown kind never matches."""
    return all(_CONDITIONS.get(one.get("Field", ""), _never)(one, asked) for one in conditions)


def _never(condition: Mapping[str, Json], asked: Asked) -> bool:
    del condition, asked
    return False


def _host(condition: Mapping[str, Json], asked: Asked) -> bool:
    return _any(condition, "HostHeaderConfig", [asked.host], case=False)


def _path(condition: Mapping[str, Json], asked: Asked) -> bool:
    return _any(condition, "PathPatternConfig", [asked.path], case=True)


def _header(condition: Mapping[str, Json], asked: Asked) -> bool:
    name = condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")
    return _any(condition, "HttpHeaderConfig", asked.values(name), case=False)


def _method(condition: Mapping[str, Json], asked: Asked) -> bool:
    return asked.method in condition.get("HttpRequestMethodConfig", {}).get("Values", ())


def _query(condition: Mapping[str, Json], asked: Asked) -> bool:
    given = parse_qsl(asked.query, keep_blank_values=True)
    return any(
        _like(one.get("Value", "*"), value, case=False)
        and ("Key" not in one or _like(one["Key"], key, case=False))
        for one in condition.get("QueryStringConfig", {}).get("Values", ())
        for key, value in given
    )


def _source(condition: Mapping[str, Json], asked: Asked) -> bool:
    source = ip_address(asked.source)
    ranges = condition.get("SourceIpConfig", {}).get("Values", ())
    return any(source in ip_network(one, strict=False) for one in ranges)


def _any(condition: Mapping[str, Json], config: str, values: Sequence[str], *, case: bool) -> bool:
    held = condition.get(config) or {}
    patterns = held.get("Values") or condition.get("Values") or ()
    expressions = held.get("RegexValues") or condition.get("RegexValues") or ()
    return any(_like(pattern, value, case=case) for pattern in patterns for value in values) or any(
        re.search(expression, value) for expression in expressions for value in values
    )


def _like(pattern: str, value: str, *, case: bool) -> bool:
    return _compiled(pattern, case=case).fullmatch(value) is not None


@lru_cache(1024)
def _compiled(pattern: str, *, case: bool) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(one) or re.escape(one) for one in pattern)
    return re.compile(text, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


_CONDITIONS: Mapping[str, Callable[[Mapping[str, Json], Asked], bool]] = {
    "host-header": _host,
    "path-pattern": _path,
    "http-header": _header,
    "http-request-method": _method,
    "query-string": _query,
    "source-ip": _source,
}
