"""
Templates for the phases of a migration: imports pinned to values, old exports kept next to new ones. Pure.

Reads and writes template texts (JSON). Names of exports are literal text, which `deployer.graph` has checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PINNED = "GatestackPinned"
"""Output of a pinned template: which exports it stands in for. It also makes pinning and connecting again a
change that CloudFormation carries out although no value differs; without it the import would stay in use."""
_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Use:
    """One use of a resource or a parameter; *attribute* is empty for what `Ref` means."""

    name: str
    attribute: str = ""


def document_of(template: str) -> dict[str, Any]:
    """
    Return a template as data.

    Raises:
        ValueError: it is no JSON object (YAML is not written by this tool).

    """
    found = json.loads(template)
    if not isinstance(found, dict):
        raise ValueError("the template is no JSON object")  # noqa: TRY004 - malformed text, not a wrong call
    return found


def exported(template: str) -> dict[str, dict[str, Any]]:
    """Return a template's outputs by the literal names they are exported as."""
    outputs = document_of(template).get("Outputs", {}).values()
    named = [(output.get("Export", {}).get("Name"), output) for output in outputs]
    return {name: output for name, output in named if isinstance(name, str)}


def uses(node: Any) -> Iterator[Use]:
    """Yield every Ref, GetAtt and name in a Sub inside of *node*."""
    if isinstance(node, list):
        for one in node:
            yield from uses(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield Use(value)
            elif key == "Fn::GetAtt":
                name, _, attribute = _dotted(value).partition(".")
                yield Use(name, attribute)
            elif key == "Fn::Sub":
                yield from _substituted(value)
            else:
                yield from uses(value)


def written_out(node: Any, values: Mapping[str, str]) -> Any:
    """Return *node* with the imports of *values* replaced by them."""
    if isinstance(node, list):
        return [written_out(one, values) for one in node]
    if not isinstance(node, dict):
        return node
    name = node.get("Fn::ImportValue")
    if isinstance(name, str) and name in values:
        return values[name]
    return {key: written_out(value, values) for key, value in node.items()}


def pinned(template: str, values: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    """
    Return a live *template* with the imports of *values* written out, and nothing else changed by it.

    *parameters* are the live ones: they become the defaults.

    Raises:
        ValueError: the template is no JSON object.

    """
    document = written_out(document_of(template), values)
    _settle(document, parameters)
    outputs = document.setdefault("Outputs", {})
    before = str(outputs.get(PINNED, {}).get("Value", "")).split(", ")
    names = ", ".join(sorted({*values, *before} - {""}))
    outputs[PINNED] = {
        "Value": names[:1000],
        "Description": "Exports that this stack holds by value while they are being changed",
    }
    return _text(document)


def expanded(wanted: str, live: str, keep: Collection[str], parameters: Mapping[str, str]) -> str:
    """
    Return *wanted* with the exports *keep* of *live* as well, and with what these need.

    Raises:
        ValueError: one of them is no JSON object.

    """
    document, before = document_of(wanted), document_of(live)
    _settle(before, parameters)
    outputs = document.setdefault("Outputs", {})
    for key, output in before.get("Outputs", {}).items():
        if output.get("Export", {}).get("Name") in keep:
            outputs[key if key not in outputs else f"Kept{key}"] = output
            _adopt(document, before, output)
    return _text(document)


def _settle(document: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Make the live values the defaults, so that the template alone describes the live stack."""
    for name, parameter in document.get("Parameters", {}).items():
        if name in parameters:
            parameter["Default"] = parameters[name]


def _adopt(document: dict[str, Any], before: Mapping[str, Any], node: Any) -> None:
    for section, name in _needs(node):
        there = before.get(section, {})
        if name in there and name not in document.get(section, {}):
            document.setdefault(section, {})[name] = there[name]
            _adopt(document, before, there[name])


def _needs(node: Any) -> Iterator[tuple[str, str]]:
    """Yield the sections and names that *node* needs."""
    for use in uses(node):
        yield from (("Resources", use.name), ("Parameters", use.name))
    for key, value in _entries(node):
        first = value[0] if isinstance(value, list) and value else value
        if key in {"Condition", "Fn::If"} and isinstance(first, str):
            yield "Conditions", first
        elif key == "Fn::FindInMap" and isinstance(first, str):
            yield "Mappings", first
        elif key == "DependsOn":
            yield from (("Resources", name) for name in (value if isinstance(value, list) else [value]))


def _entries(node: Any) -> Iterator[tuple[str, Any]]:
    for value in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from _entries(value)
    if isinstance(node, dict):
        yield from node.items()


def _substituted(argument: Any) -> Iterator[Use]:
    text, given = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    yield from uses(given)
    for name in _SUBSTITUTION.findall(str(text)):
        head, _, attribute = name.strip().partition(".")
        if head not in given:
            yield Use(head, attribute)


def _dotted(argument: Any) -> str:
    return ".".join(map(str, argument)) if isinstance(argument, list) else str(argument)


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True)
