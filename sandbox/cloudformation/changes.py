"""Differences between the current and the desired state of a resource, and whether they replace it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloudformation.templates.intrinsics import KNOWN_AFTER_APPLY
from sandbox.provisioning import Schemas

Json = Any


def changed(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    """Return the top-level properties that differ."""
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def recreates(
    schemas: Schemas, type_: str, name: str, old: Mapping[str, Json], new: Mapping[str, Json]
) -> bool:
    """Whether the change of property *name* from *old* to *new* properties replaces the resource."""
    for path in schemas.create_only(type_):
        steps = path.split(".")
        if steps[0] == name and list(_at(old, steps)) != list(_at(new, steps)):
            return True
    return False


def replaced(schemas: Schemas, type_: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> bool:
    """Whether going from *old* to *new* properties replaces the resource."""
    return any(recreates(schemas, type_, name, old, new) for name in changed(old, new))


def kept_name(schemas: Schemas, type_: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> str | None:
    """
    Return the name that a replacement would take from what it replaces; None where it has its own.

    A template names a resource where it gives all that identifies it (CloudFormation Template Reference,
    "Resource custom naming"; read 2026-11-28). Types that an ARN identifies are left to their service.
    """
    names = schemas.identifier(type_)
    if not names or any(new.get(name) is None or new.get(name) != old.get(name) for name in names):
        return None
    return "|".join(str(new[name]) for name in names)


def _at(value: Json, steps: list[str]) -> Iterator[Json]:
    if value == KNOWN_AFTER_APPLY or not steps:
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _at(each, steps[1:] if steps[0] == "*" else steps)
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])
