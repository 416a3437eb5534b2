"""
What the properties of an environment's resources refer to, across its stacks. Pure: reads only templates.

A Ref, a Fn::GetAtt and an import of another stack's export all resolve to a resource; anything else is read
as text, parameters with default values. Knows CloudFormation's functions and no resource type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.manifest import Manifest

_NAMED = re.compile(r"\$\{([^!][^}]*)\}")
"""A name in Fn::Sub; ``${!Literal}`` is text."""


@dataclass(frozen=True)
class Target:
    """Where a pointer ends: at a resource, or at one of its attributes."""

    stack: str
    logical_id: str
    attribute: str = ""

    @property
    def key(self) -> str:
        """The resource's name in the environment: ``network/Vpc``."""
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    """As the template has them."""

    @property
    def key(self) -> str:
        """Its name in the environment: ``network/Vpc``."""
        return f"{self.stack}/{self.logical_id}"

    def get(self, *path: str) -> Any:
        """Return the property at *path*, None where there is none."""
        found: Any = self.properties
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


class References:
    """The resources of an environment, and where their pointers end."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._templates = {stack.name: json.loads(stack.template) for stack in manifest.stacks}
        self._resources = {
            resource.key: resource
            for stack, template in self._templates.items()
            for resource in _resources(stack, template)
        }
        self._exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in self._templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of one of *types*: stack by stack, then by logical id."""
        return tuple(one for one in self._resources.values() if one.type in types)

    def at(self, key: str) -> Resource | None:
        """Return the resource ``network/Vpc``."""
        return self._resources.get(key)

    def exported(self, name: str) -> Target | str:
        """Return the value of the export *name*; the name itself if no stack of the environment has it."""
        if name not in self._exports:
            return name
        stack, value = self._exports[name]
        return self.follow(stack, value)

    def follow(self, stack: str, value: Any) -> Target | str:
        """Return the resource that *value*, a property in *stack*'s template, points to, else its text."""
        if not (isinstance(value, dict) and len(value) == 1):
            return str(value)
        ((function, argument),) = value.items()
        ways: dict[str, Callable[[str, Any], Target | str]] = {
            "Ref": self._ref,
            "Fn::GetAtt": _attribute,
            "Fn::ImportValue": lambda _, name: self.exported(name),
            "Fn::If": self._chosen,
            "Fn::Sub": self._substituted,
            "Fn::Join": self._joined,
        }
        way = ways.get(function)
        return way(stack, argument) if way else json.dumps(value, sort_keys=True)

    def text(self, stack: str, value: Any) -> str:
        """Return *value* as text; of a pointer, the logical id it ends at."""
        found = self.follow(stack, value)
        return found.logical_id if isinstance(found, Target) else found

    def keys(self, stack: str, values: Any) -> tuple[str, ...]:
        """Return the target of each pointer in a list (``network/Vpc``), or its text (``vpc-…``)."""
        found = [self.follow(stack, value) for value in values or ()]
        return tuple(one.key if isinstance(one, Target) else one for one in found)

    def entries(self, stack: str, values: Any) -> list[Mapping[str, Any]] | None:
        """
        Return the mappings of a list, with Fn::If resolved in and around them; None if there is no list.
        """
        chosen = self._picked(stack, values)
        if not isinstance(chosen, list):
            return None
        return [one for one in (self._picked(stack, each) for each in chosen) if not _is_nothing(one)]

    def _picked(self, stack: str, value: Any) -> Any:
        while isinstance(value, dict) and value.keys() == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            value = yes if self._holds(stack, condition) else no
        return value

    def pointers(self, stack: str, value: Any) -> Iterator[Target]:
        """Yield every resource that *value* points to, however deep in it."""
        parts = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
        found = self.follow(stack, value) if isinstance(value, dict) else ""
        if isinstance(found, Target):
            yield found
            return
        for part in parts:
            yield from self.pointers(stack, part)

    def _ref(self, stack: str, name: str) -> Target | str:
        if f"{stack}/{name}" in self._resources:
            return Target(stack, name)
        parameter = self._templates[stack].get("Parameters", {}).get(name, {})
        pseudo = {"AWS::Region": self.manifest.region, "AWS::NoValue": ""}
        return str(parameter["Default"]) if "Default" in parameter else pseudo.get(name, f"${{{name}}}")

    def _substituted(self, stack: str, argument: Any) -> str:
        template, values = (argument, {}) if isinstance(argument, str) else argument

        def put(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in values:
                return self.text(stack, values[name])
            return self.text(stack, {"Fn::GetAtt": name} if "." in name else {"Ref": name})

        return _NAMED.sub(put, template)

    def _joined(self, stack: str, argument: Any) -> str:
        delimiter, parts = argument
        return str(delimiter).join(self.text(stack, part) for part in parts)

    def _chosen(self, stack: str, argument: Any) -> Target | str:
        condition, yes, no = argument
        return self.follow(stack, yes if self._holds(stack, condition) else no)

    def _holds(self, stack: str, name: str) -> bool:
        """Tell whether a condition holds with the parameters' defaults; anything but Fn::Equals does not."""
        sides = self._templates[stack].get("Conditions", {}).get(name, {}).get("Fn::Equals", (0, 1))
        return self.text(stack, sides[0]) == self.text(stack, sides[1])


def _is_nothing(value: Any) -> bool:
    return not isinstance(value, Mapping) or value == {"Ref": "AWS::NoValue"}


def _attribute(stack: str, argument: Any) -> Target:
    """Return the target of Fn::GetAtt: a list in JSON, a text with a dot in the short form."""
    logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return Target(stack, logical_id, attribute)


def _resources(stack: str, template: Mapping[str, Any]) -> Iterator[Resource]:
    for logical_id, entry in sorted(template.get("Resources", {}).items()):
        yield Resource(stack, logical_id, entry.get("Type", ""), entry.get("Properties", {}))
