"""
Fn::ForEach: one fragment for each item of a collection.

CloudFormation Template Reference, "Fn::ForEach": in Conditions, Resources (properties too) and Outputs,
inside each other; `${Identifier}` gives the item in keys and values, `&{Identifier}` its letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloudformation.templates.template import scalar
from sandbox.cloudformation.transforms.failure import failed

Json = Any
EXTENSIONS = "AWS::LanguageExtensions"
_LOOP = "Fn::ForEach::"
_LENGTH = 3


def unrolled(node: Json, items: Mapping[str, str], resolve: Callable[[Json], Json]) -> Json:
    """
    Return *node* with every loop written out; raises TransformFailure.

    *items*: the item of each loop around it, by identifier. *resolve* gives the value of a collection.
    """
    if isinstance(node, list):
        return [unrolled(each, items, resolve) for each in node]
    if isinstance(node, str):
        return _named(node, items)
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Ref"} and isinstance(node["Ref"], str) and node["Ref"] in items:
        return items[node["Ref"]]
    if node.keys() == {"Fn::Sub"}:
        return _substituted(node["Fn::Sub"], items, resolve)
    made: dict[str, Json] = {}
    for key, inner in node.items():
        if not str(key).startswith(_LOOP):
            _add(made, _named(str(key), items), unrolled(inner, items, resolve))
            continue
        identifier, collection, fragment = _layout(inner)
        for item in _collected(unrolled(collection, items, resolve), resolve):
            written = unrolled(fragment, {**items, identifier: item}, resolve)
            for name, value in written.items():
                _add(made, name, value)
    return made


def _add(made: dict[str, Json], key: str, value: Json) -> None:
    if key in made:
        raise failed(EXTENSIONS, f"Duplicate key '{key}' when merging keys to parent object in Fn::ForEach")
    made[key] = value


def _layout(loop: Json) -> tuple[str, Json, Json]:
    if (
        not isinstance(loop, list)
        or len(loop) != _LENGTH
        or not isinstance(loop[0], str)
        or not isinstance(loop[2], dict)
    ):
        raise failed(EXTENSIONS, "Fn::ForEach layout is incorrect.")
    return loop[0], loop[1], loop[2]


def _collected(collection: Json, resolve: Callable[[Json], Json]) -> list[str]:
    found = resolve(collection)
    if not isinstance(found, list) or any(isinstance(each, dict | list) for each in found):
        raise failed(EXTENSIONS, "Fn::ForEach layout is incorrect.")
    return [scalar(each) for each in found]


def _named(text: str, items: Mapping[str, str]) -> str:
    for identifier, item in items.items():
        text = text.replace("${" + identifier + "}", item)
        text = text.replace("&{" + identifier + "}", re.sub("[^0-9a-zA-Z]+", "", item))
    return text


def _substituted(argument: Json, items: Mapping[str, str], resolve: Callable[[Json], Json]) -> Json:
    """Write the items into a Sub's text; one with nothing left to substitute is that text."""
    written = unrolled(argument, items, resolve)
    changed = written != argument
    return written if changed and isinstance(written, str) and "${" not in written else {"Fn::Sub": written}
