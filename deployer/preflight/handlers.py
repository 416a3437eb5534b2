"""
IAM permissions of the handlers that create, update and delete a resource type.

Read as data from the provider schemas that cfn-lint ships: importing cfn-lint would load every rule.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

COMMON = "us-east-1"
"""The region whose list of types counts; it has every type."""
CUSTOM = frozenset({"lambda:InvokeFunction", "sns:Publish"})
"""Actions of a custom resource: its provider is called by one of the two."""


def actions_of(type_: str, *handlers: str) -> frozenset[str]:
    """Return the actions of *handlers* (create, read, update, delete) of a type; none for an unknown type."""
    if type_.startswith("Custom::"):
        return CUSTOM
    schema = _schema(type_)
    found = (schema.get("handlers", {}).get(one, {}).get("permissions", ()) for one in handlers)
    return frozenset(action for actions in found for action in actions)


@cache
def _schema(type_: str) -> dict[str, Any]:
    name = _types().get(type_)
    return {} if name is None else _read(f"resources/{name}.json")


@cache
def _types() -> dict[str, str]:
    return _read(f"providers/{COMMON}.json")


def _read(name: str) -> dict[str, Any]:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).parent / "data" / "schemas" / name
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
