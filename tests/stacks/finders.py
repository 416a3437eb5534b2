"""Small readers of a built stack's template, so that a test says what it looks for and nothing else."""

from __future__ import annotations

from typing import Any

from stacks.wiring import Stack

Resource = dict[str, Any]


def template(stack: Stack) -> dict[str, Any]:
    """Return the template of *stack* as plain JSON data."""
    document: dict[str, Any] = stack.template.to_dict()
    return document


def resources(stack: Stack, kind: str) -> dict[str, Resource]:
    """Return the resources of type *kind* by logical id."""
    return {name: entry for name, entry in template(stack)["Resources"].items() if entry["Type"] == kind}


def resource(stack: Stack, logical_id: str) -> Resource:
    """Return the resource named *logical_id*."""
    entry: Resource = template(stack)["Resources"][logical_id]
    return entry


def only(stack: Stack, kind: str) -> Resource:
    """Return the only resource of type *kind*."""
    found = resources(stack, kind)
    assert len(found) == 1, f"{len(found)} resources of type {kind}: {sorted(found)}"
    return next(iter(found.values()))


def properties(stack: Stack, logical_id: str) -> dict[str, Any]:
    """Return the properties of the resource named *logical_id*."""
    found: dict[str, Any] = resource(stack, logical_id)["Properties"]
    return found


def exports(stack: Stack) -> dict[str, Any]:
    """Return the exported values by export name."""
    return {entry["Export"]["Name"]: entry["Value"] for entry in template(stack).get("Outputs", {}).values()}
