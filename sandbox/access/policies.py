"""Evaluates policies as IAM does within one account (IAM User Guide, "Policy evaluation logic")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

Document = Mapping[str, Any]
Values = str | list[str]
Verdict = Literal["allowed", "explicitDeny", "implicitDeny"]
"""SimulatePrincipalPolicy's words."""
_KNOWN = frozenset(
    {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


@dataclass(frozen=True)
class Request:
    """A request to be authorized."""

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)
    why: str = ""

    def __str__(self) -> str:
        return (
            f"{self.action} on {self.resource} ({self.why})"
            if self.why
            else f"{self.action} on {self.resource}"
        )


def allowed(request: Request, documents: Iterable[Document]) -> bool:
    """Whether some statement allows *request* and none denies it; raises ValueError, as `verdict` does."""
    return verdict(request, documents) == "allowed"


def verdict(request: Request, documents: Iterable[Document]) -> Verdict:
    """
    Return the result of *documents* for *request*; principals are ignored.

    Raises:
        ValueError: a policy holds what this evaluator does not know.

    """
    effects = {
        one["Effect"] for document in documents for one in statements(document) if matches(one, request)
    }
    if "Deny" in effects:
        return "explicitDeny"
    return "allowed" if effects else "implicitDeny"


def statements(document: Document) -> list[Mapping[str, Any]]:
    """Return the statements of a policy; one alone needs no list."""
    found = document["Statement"]
    return list(found) if isinstance(found, list) else [found]


def matches(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether *statement* applies to *request*; raises ValueError."""
    if unknown := statement.keys() - _KNOWN:
        raise _beyond(unknown)
    return (
        _names(statement, "Action", request.action.lower(), request.context, lower=True)
        and _names(statement, "Resource", request.resource, request.context)
        and all(
            _holds(operator, key, _list(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _names(
    statement: Mapping[str, Any],
    element: str,
    asked: str,
    context: Mapping[str, Values],
    *,
    lower: bool = False,
) -> bool:
    """Whether Action or Resource of *statement* includes *asked*, or the element's Not… leaves it out."""
    negated = f"Not{element}" in statement
    patterns = _patterns(statement[f"Not{element}" if negated else element])
    if any("${" in one for one in patterns):
        patterns = tuple(_filled(one, context) for one in patterns)
    return (_one_of(patterns, lower=lower).fullmatch(asked) is not None) != negated


def _filled(text: str, context: Mapping[str, Values]) -> str:
    """Return *text* with its policy variables (IAM User Guide, "Policy elements: Variables and tags")."""
    there = {name.lower(): value for name, value in context.items() if isinstance(value, str)}
    return _VARIABLE.sub(lambda found: there.get(found[1].lower(), found[0]), text)


def check(document: Document) -> None:
    """Raise ValueError where a policy holds what this evaluator does not know."""
    for statement in statements(document):
        if unknown := statement.keys() - _KNOWN:
            raise _beyond(unknown)
        for operator in statement.get("Condition", {}):
            _split(operator)


def _beyond(elements: Iterable[str]) -> ValueError:
    return ValueError(f"{', '.join(sorted(elements))} of a policy's statement is beyond this evaluator")


def _split(operator: str) -> tuple[str, str]:
    """Return the set operator, empty for none, and the plain one; raises ValueError."""
    many, _, plain = operator.removesuffix("IfExists").rpartition(":")
    known = plain == "Null" or plain.replace("Not", "") in _OPERATORS
    if many not in {"", "ForAnyValue", "ForAllValues"} or not known:
        raise ValueError(f"the operator {operator} is beyond this evaluator")
    return many, plain


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, Values]) -> bool:
    there = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return (there is None) == (wanted == ["true"])
    if operator.endswith("IfExists"):
        return there is None or _holds(operator.removesuffix("IfExists"), key, wanted, context)
    found = [] if there is None else _list(there)
    many, plain = _split(operator)
    wanted = [_filled(one, context) for one in wanted]
    if not many and len(found) > 1:
        raise ValueError(f"{key} has several values, and {operator} is for one")
    same = _OPERATORS[plain.replace("Not", "")]
    fits = [any(same(pattern, value) for pattern in wanted) for value in found]
    if "Not" in plain:
        fits = [not one for one in fits]
        return all(fits) if many != "ForAnyValue" else any(fits)
    return all(fits) if many == "ForAllValues" else any(fits)


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _like(pattern: str, value: str) -> bool:
    return like(pattern).fullmatch(value) is not None


def _ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _in_range(pattern: str, value: str) -> bool:
    return ip_address(value) in ip_network(pattern, strict=False)


def _numbers(compared: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda pattern, value: compared(float(value), float(pattern))


def _dates(compared: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda pattern, value: compared(_seconds(value), _seconds(pattern))


def _seconds(text: str) -> float:
    """Return the time in *text*, ISO 8601 or seconds since the epoch."""
    return float(text) if text.replace(".", "").isdigit() else datetime.fromisoformat(text).timestamp()


_COMPARED = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal,
    "IpAddress": _in_range,
    **{f"Numeric{name}": _numbers(compared) for name, compared in _COMPARED.items()},
    **{f"Date{name}": _dates(compared) for name, compared in _COMPARED.items()},
}
"""IAM User Guide, "IAM JSON policy elements: Condition operators"; each but Bool has its Not… as well."""
_VARIABLE = re.compile(r"\$\{([\w:/+=.@-]+)\}")


@cache
def like(pattern: str) -> re.Pattern[str]:
    """Return *pattern*, in which ``*`` and ``?`` stand for anything, as a regular expression."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one) or re.escape(one) for one in pattern))


@cache
def _one_of(patterns: tuple[str, ...], *, lower: bool = False) -> re.Pattern[str]:
    """Return a single expression for *patterns*: each call tries all of a role's."""
    return re.compile("|".join(f"(?:{like(one.lower() if lower else one).pattern})" for one in patterns))


def _patterns(value: Values) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _list(value: Any) -> list[str]:
    return (
        [str(one).lower() if isinstance(one, bool) else one for one in value]
        if isinstance(value, list)
        else [str(value).lower() if isinstance(value, bool) else value]
    )
