"""Stack policies: whether one allows an update of a resource. Pure."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from typing import Any

from sandbox.errors import invalid


def check(body: str) -> None:
    """Refuse a text that is no stack policy; raises ApiError."""
    try:
        statements = json.loads(body)["Statement"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise invalid("Error validating stack policy: Invalid stack policy") from error
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") not in ("Allow", "Deny") or statement.get("Principal") != "*":
            raise invalid("Error validating stack policy: Invalid stack policy")


def denial(body: str | None, action: str, logical_id: str, type_: str) -> str | None:
    """Return why *action* (`Update:Modify` ...) on a resource is denied, or None where it is allowed."""
    if body is None:
        return None
    statements = json.loads(body)["Statement"]
    statements = statements if isinstance(statements, list) else [statements]
    matching = [each for each in enumerate(statements, 1) if _applies(each[1], action, logical_id, type_)]
    for number, statement in matching:
        if statement["Effect"] == "Deny":
            what = ", ".join(_listed(statement["Action"]))
            return (
                f"Action denied by stack policy: Statement [#{number}] does not allow [{what}] "
                f"for resource [LogicalResourceId/{logical_id}]"
            )
    return (
        None
        if matching
        else f"Action not allowed by stack policy for resource [LogicalResourceId/{logical_id}]"
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _applies(statement: Mapping[str, Any], action: str, logical_id: str, type_: str) -> bool:
    actions = any(fnmatch.fnmatchcase(action, pattern) for pattern in _listed(statement.get("Action", [])))
    resource = f"LogicalResourceId/{logical_id}"
    resources = any(
        fnmatch.fnmatchcase(resource, pattern) for pattern in _listed(statement.get("Resource", []))
    )
    types = [
        wanted for test in statement.get("Condition", {}).values() for wanted in test.get("ResourceType", ())
    ]
    return actions and resources and (not types or any(fnmatch.fnmatchcase(type_, each) for each in types))
