"""Policies as IAM reads them within one account (IAM User Guide, "Policy evaluation logic")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

Document = Mapping[str, Any]
Values = str | list[str]
Verdict = Literal["allowed", "explicitDeny", "implicitDeny"]
"""SimulatePrincipalPolicy's words."""
_KNOWN = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})


@dataclass(frozen=True)
class Request:
    """What somebody asks AWS for."""

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
    Return what the statements of *documents* come to for *request*; who is meant is not looked at.

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
    """Whether *statement* is about *request*; raises ValueError."""
    if unknown := statement.keys() - _KNOWN:
        raise ValueError(f"{', '.join(sorted(unknown))} of a policy's statement is beyond this evaluator")
    return (
        _one_of(_patterns(statement["Action"]), lower=True).fullmatch(request.action.lower()) is not None
        and _one_of(_patterns(statement["Resource"])).fullmatch(request.resource) is not None
        and all(
            _holds(operator, key, _list(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, Values]) -> bool:
    there = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return (there is None) == (wanted == ["true"])
    if operator.endswith("IfExists"):
        return there is None or _holds(operator.removesuffix("IfExists"), key, wanted, context)
    found = [] if there is None else _list(there)
    many, _, plain = operator.rpartition(":")
    if many not in {"", "ForAnyValue", "ForAllValues"} or plain.replace("Not", "") not in _OPERATORS:
        raise ValueError(f"the operator {operator} is beyond this evaluator")
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


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal,
}


@cache
def like(pattern: str) -> re.Pattern[str]:
    """Return *pattern*, in which ``*`` and ``?`` stand for anything, as a regular expression."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one) or re.escape(one) for one in pattern))


@cache
def _one_of(patterns: tuple[str, ...], *, lower: bool = False) -> re.Pattern[str]:
    """Return what any of *patterns* stands for as one expression: each call tries all of a role's."""
    return re.compile("|".join(f"(?:{like(one.lower() if lower else one).pattern})" for one in patterns))


def _patterns(value: Values) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _list(value: Any) -> list[str]:
    return (
        [str(one).lower() if isinstance(one, bool) else one for one in value]
        if isinstance(value, list)
        else [str(value).lower() if isinstance(value, bool) else value]
    )
