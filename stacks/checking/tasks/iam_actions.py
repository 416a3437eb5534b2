"""
The actions that IAM knows, and which of them support a resource: cfn-lint's copy of AWS's own list.

The file comes with the cfn-lint version in `locks` (its ``AdditionalSpecs/Policies.json``, made from the AWS
policy generator's data), so it is as old as that release. It is read only for a file that lists actions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stacks.near import near

_FILE = ("data", "AdditionalSpecs", "Policies.json")


@cache
def _services() -> Mapping[str, Mapping[str, Any]]:
    """Return the services by prefix; cfn-lint itself is not imported, which takes half a second."""
    found = find_spec("cfnlint")
    assert found is not None  # noqa: S101 - gatestack depends on it
    assert found.origin is not None  # noqa: S101
    path = Path(found.origin).parent.joinpath(*_FILE)
    services: dict[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return services


def objection(action: str) -> str | None:
    """Return why *action* (``s3:GetObject``, ``s3:Get*``) allows nothing; None where it is known."""
    if action == "*":
        return None
    prefix, _, name = action.partition(":")
    services = _services()
    if prefix not in services:
        return f"IAM knows no service {prefix}{_meant(near(prefix, services, 0.7), '')}"
    if actions(action):
        return None
    meant = near(name.lower(), services[prefix]["Actions"])
    return f"{prefix} has no action {name}{_meant(meant, f'{prefix}:')}"


def actions(pattern: str) -> Mapping[str, Any]:
    """Return the actions that *pattern* stands for, in lower case; IAM does not tell upper from lower."""
    prefix, _, name = pattern.lower().partition(":")
    known = _services().get(prefix, {}).get("Actions", {})
    return {one: told for one, told in known.items() if fnmatchcase(one, name)}


def know_resources(pattern: str) -> bool:
    """Whether each action that *pattern* stands for can be limited to resources."""
    found = actions(pattern)
    return bool(found) and all(told.get("Resources") for told in found.values())


def _meant(name: str | None, before: str) -> str:
    return f"; did you mean {before}{name}?" if name else ""
