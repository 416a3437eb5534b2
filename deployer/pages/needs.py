"""
Dependencies from templates: between resources of one stack, and between stacks by exports and imports.
Pure.

A template that cannot be read gives no dependencies and no error: a page about a past run shows what it can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deployer.errors import GraphError
from deployer.graph import Wiring, wiring
from generator.manifest import StackSpec

_NAMED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")
"""A resource in the text of Fn::Sub (CloudFormation User Guide, Fn::Sub); ``${!…}`` is plain text."""


def resource_needs(template: str) -> Mapping[str, frozenset[str]]:
    """Return what each resource of *template* waits for: DependsOn, Ref, Fn::GetAtt and Fn::Sub."""
    try:
        resources = json.loads(template)["Resources"]
        return {
            name: frozenset(one for one in _named(body) if one in resources and one != name)
            for name, body in resources.items()
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def stack_needs(templates: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """Return which stacks of *templates* (name -> text) each one comes after, because it imports of them."""
    wired = {name: one for name, text in templates.items() if (one := _wiring(name, text)) is not None}
    producers = {export: name for name, one in wired.items() for export in one.exports}
    return {
        name: frozenset(producers[export] for export in one.imports & producers.keys()) - {name}
        for name, one in wired.items()
    }


def reversed_needs(needs: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Return *needs* for a deletion: what is needed waits for what needs it."""
    names = needs.keys() | {one for each in needs.values() for one in each}
    return {name: frozenset(other for other, each in needs.items() if name in each) for name in names}


def _wiring(name: str, template: str) -> Wiring | None:
    try:
        return wiring(StackSpec(name, name, template))
    except GraphError:
        return None


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _named(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _by(key, value)
            yield from _named(value)


def _by(key: str, value: Any) -> Iterator[str]:
    """Return the names that a function, or DependsOn, called *key* refers to."""
    first = value[0] if isinstance(value, list) and value else value
    if key == "DependsOn":
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
    elif key == "Ref" and isinstance(value, str):
        yield value
    elif key == "Fn::GetAtt" and isinstance(first, str):
        yield first.split(".")[0]
    elif key == "Fn::Sub" and isinstance(first, str):
        yield from _NAMED.findall(first)
