"""The origin of each value of an environment: a line of a file, a default, or other values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.checking.limits import SUBNET_NUMBERS
from stacks.checking.problems import Place
from stacks.checking.yaml_tree import Tree
from stacks.environment import TASKS_AT_FIRST, is_unused, layers
from stacks.settings import Settings

DERIVED = "derived"
DEFAULT = "default"


@dataclass(frozen=True)
class Origins:
    """What *tree*, the file *path* and what it extends, has to do with the settings that it makes."""

    path: Path
    tree: Tree
    settings: Settings

    def of(self, place: Place) -> str:
        """
        Return where the value at *place*, one of keys alone, comes from.

        ``environments/base.yaml:4``, ``default of production``, ``derived``.
        """
        if self.tree.says(place):
            return f"{self.tree.files.get(place, self.path)}:{self.tree.lines[place]}"
        if self._is_derived(place):
            return DERIVED
        below = reversed(layers(self.settings.system, self.settings.tier).items())
        return next((name for name, values in below if _value(values, place) is not None), DEFAULT)

    def _is_derived(self, place: Place) -> bool:
        if place == TASKS_AT_FIRST:
            return bool(self.settings.service.desired_count != self._usual(place))
        return place[:1] == ("network",) and place[-1] in SUBNET_NUMBERS

    def _usual(self, place: Place) -> Any:
        below = reversed(layers(self.settings.system, self.settings.tier).values())
        return next((_value(values, place) for values in below if _value(values, place) is not None), None)


def file_of(settings: Settings) -> dict[str, Any]:
    """Return the environment file that says every key of *settings* which its system has a use for."""
    return dict(_used(settings.system, settings.model_dump(mode="json")))


def _used(system: str, values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{above}{key}"
        if not is_unused(system, name):
            yield key, dict(_used(system, value, f"{name}.")) if isinstance(value, dict) else value


def _value(values: Mapping[str, Any], place: Place) -> Any:
    found: Any = values
    for key in place:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
