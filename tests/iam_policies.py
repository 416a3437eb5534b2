"""Policies as IAM reads them within one account (IAM User Guide, "Policy evaluation logic")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from stacks.wiring import Stack

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
Document = Mapping[str, Any]
Values = str | list[str]


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
    """Whether some statement allows *request* and none denies it."""
    effects = {
        one["Effect"] for document in documents for one in document["Statement"] if _matches(one, request)
    }
    return effects == {"Allow"}


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert not unknown, f"{unknown} is beyond this evaluator"
    return (
        any(like(pattern.lower()).fullmatch(request.action.lower()) for pattern in _list(statement["Action"]))
        and any(like(pattern).fullmatch(request.resource) for pattern in _list(statement["Resource"]))
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
    assert many in {"", "ForAnyValue", "ForAllValues"}, f"{operator} is beyond this evaluator"
    assert many or len(found) <= 1, f"{key} has several values"
    same = _OPERATORS[plain]
    fits = [any(same(pattern, value) for pattern in wanted) for value in found]
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


def _list(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]


Names = Callable[[str], str]
"""What a template calls something (``Title``, ``Title.Attribute``, an export) -> what that is."""

ARTIFACTS = "gatestack-bootstrap-artifactsbucket-abcdefghijkl"
KNOWN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}


def resolved(value: Any, names: Names = KNOWN.__getitem__) -> Any:  # noqa: PLR0911 - one for each function
    """Return a template's *value* as it is in this account."""
    match value:
        case list():
            return [resolved(one, names) for one in value]
        case {"Fn::Sub": str(text)}:
            return _filled(text, {}, names)
        case {"Fn::Sub": [str(text), dict(more)]}:
            return _filled(text, {key: resolved(one, names) for key, one in more.items()}, names)
        case {"Ref": str(name)} | {"Fn::ImportValue": str(name)}:
            return _named(name, names)
        case {"Fn::GetAtt": [str(title), str(attribute)]}:
            return _named(f"{title}.{attribute}", names)
        case dict():
            return {key: resolved(one, names) for key, one in value.items()}
    return value


def _filled(text: str, more: Mapping[str, str], names: Names) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: more.get(found[1]) or _named(found[1], names), text)


def _named(name: str, names: Names) -> str:
    return KNOWN.get(name) or names(name)


def documents_of(stack: Stack, role: str) -> list[Document]:
    """Return the policies of *role* in the account's stack."""
    template = stack.template.to_dict()["Resources"]
    names = {"ArtifactsBucket.Arn": f"arn:aws:s3:::{ARTIFACTS}"}.__getitem__
    properties = template[role]["Properties"]
    attached = [template[arn["Ref"]]["Properties"] for arn in properties["ManagedPolicyArns"]]
    own = properties.get("Policies", [])
    return [resolved(one["PolicyDocument"], names) for one in (*attached, *own)]


def boundary_of(stack: Stack) -> Document:
    """Return the boundary."""
    found: Document = resolved(
        stack.template.to_dict()["Resources"]["Boundary"]["Properties"]["PolicyDocument"]
    )
    return found
