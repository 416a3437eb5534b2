"""
Which permissions a change widens: policy statements, and security group rules. Pure.

A statement or rule counts if it is new, or covers more than the one it replaces. A removed one does not,
unless it denied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from deployer.changes.statements import said, statements
from deployer.states import Change, PropertyChange, structure

GROUP = "AWS::EC2::SecurityGroup"
RULES = {f"{GROUP}Ingress": "from", f"{GROUP}Egress": "to"}
"""Types that are one rule of a group -> which way its address is."""
INSIDE = {"SecurityGroupIngress": "from", "SecurityGroupEgress": "to"}
"""The same, of the properties of a group that hold rules."""
PEERS = (
    "CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId",
    "DestinationPrefixListId", "SourceSecurityGroupName",
)  # fmt: skip
LISTS = ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal")


@dataclass(frozen=True)
class Widening:
    """One permission that there is more of after a change."""

    stack: str
    logical_id: str
    type: str
    kind: str
    """``new``, ``wider`` or ``no longer denied``."""
    words: str
    """``ReadPrompts: Allow s3:GetObject on arn:aws:s3:::team-prompts/*``."""


Found = Iterator[tuple[str, str]]


def widened(
    stack: str, changes: Sequence[Change], wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[Widening, ...]:
    """Return what *changes* of *stack* widen; *wanted*: the resources of its new template."""
    found = []
    for one in changes:
        properties = wanted.get(one.logical_id, {}).get("Properties", {})
        if one.action == "Add":
            rows = list(_of_new(one.type, properties))
        elif one.action == "Modify":
            rows = [row for detail in one.details for row in _of_detail(one.type, detail, properties)]
        else:
            continue
        each = dict.fromkeys(rows)
        found += [Widening(stack, one.logical_id, one.type, kind, words) for kind, words in each]
    return tuple(found)


def _of_new(type_: str, properties: Mapping[str, Any]) -> Found:
    if type_ in RULES:
        yield "new", rule_words(properties, RULES[type_])
        return
    for name, value in properties.items():
        if type_ == GROUP and name in INSIDE:
            yield from (("new", rule_words(one, INSIDE[name])) for one in value if isinstance(one, Mapping))
        elif name == "ManagedPolicyArns":
            yield from (("new", f"managed policy {_text(one)}") for one in value)
        else:
            yield from (("new", said(one)) for one in statements(value) if one.get("Effect") == "Allow")
    if type_ == "AWS::Lambda::Permission":
        yield "new", f"Allow {_text(properties.get('Action'))} to {_text(properties.get('Principal'))}"


def _of_detail(type_: str, detail: PropertyChange, properties: Mapping[str, Any]) -> Found:
    name = detail.top
    if detail.before is None and detail.after is None:
        return
    before, after = structure(detail.before), structure(detail.after)
    if type_ in RULES and name in {*PEERS, "FromPort", "ToPort", "IpProtocol"}:
        if "changeSet:" not in (detail.after or ""):
            yield "wider", rule_words(properties, RULES[type_])
    elif type_ == GROUP and name in INSIDE:
        yield from _of_rules(_rules(before), _rules(after), INSIDE[name])
    elif name == "ManagedPolicyArns":
        yield from (
            ("new", f"managed policy {_text(one)}") for one in after or () if one not in (before or ())
        )
    else:
        yield from _of_statements(statements(before), statements(after))


def _of_statements(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Found:
    by_name = {one["Sid"]: one for one in before if one.get("Sid")}
    names = {one.get("Sid") for one in after}
    for one in after:
        if one in before:
            continue
        old = by_name.get(one.get("Sid", ""))
        if one.get("Effect") == "Allow" and (old is None or old.get("Effect") != "Allow"):
            yield "new", said(one)
        elif one.get("Effect") == "Allow" and old is not None and (more := _more(old, one)):
            yield "wider", f"{one['Sid']}: {', '.join(more)}"
        elif (
            old is not None and old.get("Effect") == one.get("Effect") == "Deny" and (less := _more(one, old))
        ):
            yield "no longer denied", f"{one['Sid']}: {', '.join(less)}"
    for one in before:
        if one.get("Effect") == "Deny" and one not in after and one.get("Sid") not in names - {None}:
            yield "no longer denied", said(one)


def _more(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what *new* covers that *old* does not."""
    more = []
    for name in LISTS:
        given = [one for one in _listed(new.get(name)) if one not in _listed(old.get(name))]
        if given:
            more.append(f"{name} {', '.join(given)}")
    if (old.get("Condition") or None) != (new.get("Condition") or None):
        when = json.dumps(new["Condition"], sort_keys=True) if new.get("Condition") else "none"
        was = json.dumps(old["Condition"], sort_keys=True) if old.get("Condition") else "none"
        more.append(f"Condition {when} (was {was})")
    return more


def _listed(value: Any) -> list[str]:
    """Return the members of an Action, a Resource, or a Principal, as texts."""
    if value is None:
        return []
    if isinstance(value, Mapping) and not any(str(key).startswith(("Fn::", "Ref")) for key in value):
        return [f"{key}:{each}" for key, one in value.items() for each in _listed(one)]
    return [_text(one) for one in (value if isinstance(value, list) else [value])]


def _of_rules(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], way: str) -> Found:
    for one in after:
        if not any(_covers(other, one) for other in before):
            yield "new", rule_words(one, way)


def _covers(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the rule *old* allowed all that *new* allows; descriptions do not count."""
    ports = ("IpProtocol", "FromPort", "ToPort")
    every = str(old.get("IpProtocol")) == "-1"
    if not every and any(str(old.get(name)) != str(new.get(name)) for name in ports):
        return False
    if all(old.get(name) == new.get(name) for name in PEERS):
        return True
    for name in ("CidrIp", "CidrIpv6"):
        one, other = old.get(name), new.get(name)
        if isinstance(one, str) and isinstance(other, str):
            try:
                return ip_network(other).subnet_of(ip_network(one))  # type: ignore[arg-type] # of one family
            except (ValueError, TypeError):
                return False
    return False


def rule_words(rule: Mapping[str, Any], way: str) -> str:
    """Return a rule in words: ``tcp 443 from 10.0.0.0/8``."""
    protocol = str(rule.get("IpProtocol", "-1"))
    begin, end = rule.get("FromPort"), rule.get("ToPort")
    ports = "" if begin in {None, -1, "-1"} else f" {begin}" if begin == end else f" {begin}-{end}"
    peer = next((_text(rule[name]) for name in PEERS if name in rule), "anywhere")
    return f"{'any protocol' if protocol == '-1' else protocol}{ports} {way} {peer}"


def _rules(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
