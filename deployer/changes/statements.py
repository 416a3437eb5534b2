"""What a change of a role's policies allows or takes away, statement by statement. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deployer.states import PropertyChange

NAMES = ("Policies", "PolicyDocument")
"""The properties that hold whole policies (CloudFormation Template Reference, AWS::IAM::Role)."""
UNNAMED = "a statement without Sid"

Statement = Mapping[str, Any]


def changed(detail: PropertyChange) -> tuple[str, ...]:
    """Return a line for each statement that is added, taken away or another one; none of other properties."""
    if detail.name.rpartition("/")[2] not in NAMES:
        return ()
    before, after = (_statements(one) for one in (detail.before, detail.after))
    gone = [f"- {_said(one)}" for one in before if one not in after]
    new = [f"+ {_said(one)}" for one in after if one not in before]
    return (*gone, *new)


def _statements(value: str | None) -> list[Statement]:
    """Return the statements of a property's value, as CloudFormation shows it: JSON, which may be cut."""
    try:
        return list(_found(json.loads(value or "null")))
    except (ValueError, TypeError, AttributeError):
        return []


def _found(value: Any) -> Iterator[Statement]:
    if isinstance(value, list):
        for one in value:
            yield from _found(one)
    elif isinstance(value, Mapping):
        document = value.get("PolicyDocument", value)
        statements = document.get("Statement", ())
        yield from [statements] if isinstance(statements, Mapping) else statements


def _said(one: Statement) -> str:
    """Return *one* in a line: ``ReadPrompts: Allow s3:GetObject on arn:aws:s3:::team-prompts/*``."""
    parts = [_listed(one.get(name, ())) for name in ("Action", "Resource")]
    when = f" when {json.dumps(one['Condition'], sort_keys=True)}" if one.get("Condition") else ""
    return f"{one.get('Sid') or UNNAMED}: {one.get('Effect', '')} {' on '.join(parts)}{when}"


def _listed(value: Any) -> str:
    return ", ".join(
        one if isinstance(one, str) else json.dumps(one, sort_keys=True)
        for one in (value if isinstance(value, list) else [value])
    )
