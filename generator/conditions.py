"""Whether a template's condition is true, as far as that is known before a deployment. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Value = Callable[[Any], Any]
"""The value of an expression; None if only a deployment knows it."""


def holds(condition: Any, document: Mapping[str, Any], value: Value) -> bool | None:
    """
    Return whether *condition*, a name or what stands under one, holds in the template *document*.

    None if that is unknown before a deployment, or not understood (CloudFormation template reference,
    "Condition functions").
    """
    if isinstance(condition, str):
        return holds(document.get("Conditions", {}).get(condition, {}), document, value)
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    ((function, operands),) = condition.items()
    if function == "Condition" and isinstance(operands, str):
        return holds(operands, document, value)
    if not isinstance(operands, list):
        return None
    if function == "Fn::Equals":
        sides = [value(one) for one in operands]
        return None if None in sides else sides.count(sides[0]) == len(sides)
    return _together(function, [holds(one, document, value) for one in operands])


def _together(function: str, found: list[bool | None]) -> bool | None:
    """Combine values: *decisive* ones decide alone; else all of them have to be known."""
    decisive = {"Fn::And": False, "Fn::Or": True}.get(function)
    if decisive is not None and decisive in found:
        return decisive
    if None in found or function not in {"Fn::And", "Fn::Or", "Fn::Not"}:
        return None
    return not any(found) if function == "Fn::Not" else not decisive
