"""
Converts CloudFormation's properties to a service API's parameters, by botocore's model of the API.

Pure. CloudFormation uses the service's names, except for the first letter's case, numbers and booleans given
as text, documents given as objects, and tags as lists or maps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


def text(value: Any) -> str:
    """Return *value* as the services expect text: documents as JSON, booleans in lower case."""
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda value: value if isinstance(value, bool) else str(value).lower() == "true",
    "string": text,
    "blob": lambda value: value if isinstance(value, bytes) else text(value).encode(),
}
"""By botocore's name of a type; other scalar types stay as they are."""


def fit(value: Any, shape: Any) -> Any:
    """
    Return *value* in the form of botocore's *shape*, without members missing in the shape.

    Raises:
        ValueError: the value cannot be one of the shape's type, as "eighty" for a number.

    """
    match shape.type_name:
        case "structure":
            return _structure(value, shape)
        case "list":
            return [fit(entry, shape.member) for entry in _entries(value)]
        case "map":
            return {str(key): fit(entry, shape.value) for key, entry in _pairs(value).items()}
        case kind:
            return _PLAIN[kind](value) if kind in _PLAIN else value


def _structure(value: Any, shape: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{shape.name} must be an object")  # noqa: TRY004 - a value of the template, not a type error
    members = {name.lower(): name for name in shape.members}
    fitted = {}
    for key, entry in value.items():
        name = members.get(key.lower()) or members.get(f"tag{key.lower()}")
        if name and entry is not None:
            fitted[name] = fit(entry, shape.members[name])
    return fitted


def _entries(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [{"Key": key, "Value": entry} for key, entry in value.items()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _pairs(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {pair["Key"]: pair["Value"] for pair in value}
