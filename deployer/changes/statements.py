"""What a change of a role's policies allows or removes, statement by statement. Pure."""

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
    """Return a line for each statement that is added, removed or changed; none for other properties."""
    if detail.name.rpartition("/")[2] not in NAMES:
        return ()
    before, after = (statements(one) for one in (detail.before, detail.after))
    gone = [f"- {said(one)}" for one in before if one not in after]
    new = [f"+ {said(one)}" for one in after if one not in before]
    return (*gone, *new)


def statements(value: Any) -> list[Statement]:
    """
    Return the statements in a property's value; none where it is no policy.

    *value*: as a template has it, or as CloudFormation shows it: JSON, which may be cut.
    """
    try:
        read = json.loads(value or "null") if isinstance(value, str | None) else value
        return [one for one in _found(read) if hasattr(one, "get")]
    except (ValueError, TypeError, AttributeError):
        return []


def _found(value: Any) -> Iterator[Statement]:
    if isinstance(value, list):
        for one in value:
            yield from _found(one)
    elif isinstance(value, Mapping):
        document = value.get("PolicyDocument", value)
        found = document.get("Statement", ())
        yield from [found] if isinstance(found, Mapping) else found


def said(one: Statement) -> str:
    """Return *one* in a line: ``ReadPrompts: Allow s3:GetObject on arn:aws:s3:::team-prompts/*``."""
    parts = [listed(one.get("Action", one.get("NotAction", ())))]
    if "NotAction" in one:
        parts[0] = f"all but {parts[0]}"
    if "Resource" in one or "NotResource" in one:
        but = "all but " if "NotResource" in one else ""
        parts.append(f"on {but}{listed(one.get('Resource', one.get('NotResource', ())))}")
    if "Principal" in one:
        parts.append(f"to {listed(one['Principal'])}")
    if one.get("Condition"):
        parts.append(f"when {json.dumps(one['Condition'], sort_keys=True)}")
    return f"{one.get('Sid') or UNNAMED}: {one.get('Effect', '')} {' '.join(parts)}"


def listed(value: Any) -> str:
    """Return the members of a statement's element, with commas between them."""
    return ", ".join(
        one if isinstance(one, str) else json.dumps(one, sort_keys=True)
        for one in (value if isinstance(value, list) else [value])
    )
