"""Differences between deployed and actual properties, in the form of drift detection. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = Any
Kind = Literal["ADD", "REMOVE", "NOT_EQUAL"]


@dataclass(frozen=True)
class Difference:
    """One difference, at a path like `/SecurityGroupIngress/0` (AWS API, data type PropertyDifference)."""

    path: str
    expected: Json
    actual: Json
    kind: Kind

    @property
    def name(self) -> str:
        """The property at the top of the path."""
        return self.path.split("/")[1]

    def answer(self) -> dict[str, str]:
        """Return it in the API's form; a value missing on one side is null."""
        return {
            "PropertyPath": self.path,
            "ExpectedValue": shown(self.expected),
            "ActualValue": shown(self.actual),
            "DifferenceType": self.kind,
        }


def differences(expected: Mapping[str, Json], actual: Mapping[str, Json]) -> list[Difference]:
    """Compare the properties that both sides have: what the template does not set is never drift."""
    found = (_at(f"/{name}", expected[name], actual[name]) for name in sorted(expected.keys() & actual))
    return [difference for each in found for difference in each]


def shown(value: Json) -> str:
    """Return a value as the API's text."""
    return value if isinstance(value, str) else json.dumps(value)


def same(one: Json, other: Json) -> bool:
    """Whether two values mean the same: a template may write 90 as "90" and true as "true"."""
    return bool(_plain(one) == _plain(other))


def _at(path: str, expected: Json, actual: Json) -> Iterator[Difference]:
    if same(expected, actual):
        return
    if actual is None:
        yield Difference(path, expected, None, "REMOVE")
    elif isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in expected:
            yield from _at(f"{path}/{name}", expected[name], actual.get(name))
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _in_list(path, expected, actual)
    else:
        yield Difference(path, expected, actual, "NOT_EQUAL")


def _in_list(path: str, expected: list[Json], actual: list[Json]) -> Iterator[Difference]:
    """Compare lists regardless of their order; pairs with a Key are matched by it."""
    gone = {index: value for index, value in enumerate(expected) if not _in(value, actual)}
    fresh = {index: value for index, value in enumerate(actual) if not _in(value, expected)}
    for index, value in gone.items():
        other = next((at for at, each in fresh.items() if _key(value) and _key(each) == _key(value)), None)
        if other is None:
            yield Difference(f"{path}/{index}", value, None, "REMOVE")
        else:
            yield from _at(f"{path}/{index}", value, fresh.pop(other))
    for index, value in fresh.items():
        yield Difference(f"{path}/{index}", None, value, "ADD")


def _in(value: Json, values: list[Json]) -> bool:
    return any(same(value, each) for each in values)


def _key(value: Json) -> Json:
    return value.get("Key") if isinstance(value, Mapping) else None


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted((_plain(each) for each in value), key=repr)
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)
