"""Parses template text to typed parts, with AWS's error messages. References are in `references.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox.errors import invalid

Json = Any
SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"}
    | {"Transform", "Resources", "Outputs"}
)
RESOURCE_KEYS = frozenset(
    {"Type", "Properties", "DependsOn", "Condition", "Metadata", "CreationPolicy", "UpdatePolicy"}
    | {"DeletionPolicy", "UpdateReplacePolicy"}
)


@dataclass(frozen=True)
class ParameterSpec:
    """A declared parameter."""

    name: str
    type: str
    default: str | None
    no_echo: bool
    rules: Mapping[str, Json]

    @property
    def description(self) -> str | None:
        """The author's words."""
        return self.rules.get("Description")


@dataclass(frozen=True)
class ResourceSpec:
    """A declared resource, functions unresolved."""

    logical_id: str
    type: str
    properties: Mapping[str, Json]
    depends_on: tuple[str, ...]
    condition: str | None
    metadata: Mapping[str, Json]
    deletion_policy: str
    update_replace_policy: str
    with_policy: bool = False
    """Whether the template sets a DeletionPolicy."""


@dataclass(frozen=True)
class OutputSpec:
    """A declared output, functions unresolved."""

    key: str
    value: Json
    export: Json | None
    condition: str | None
    description: str | None


@dataclass(frozen=True)
class Template:
    """A well-formed template; if macros are still to run, only what precedes them is known."""

    text: str
    description: str | None = None
    version: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    parameters: Mapping[str, ParameterSpec] = field(default_factory=dict)
    mappings: Mapping[str, Json] = field(default_factory=dict)
    conditions: Mapping[str, Json] = field(default_factory=dict)
    resources: Mapping[str, ResourceSpec] = field(default_factory=dict)
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)
    transforms: tuple[str, ...] = ()
    """The macros that it uses."""
    processed: Json | None = None
    """The template after its macros."""

    @property
    def pending(self) -> bool:
        """Whether macros are still to run."""
        return bool(self.transforms) and self.processed is None


EMPTY = Template(text="")


def parse(text: str) -> Template:
    """Return the template that *text* (JSON or YAML) is; raises ApiError in AWS's words."""
    document = load(text)
    transforms = _transforms(document)
    if not transforms:
        return build(text, document)
    return Template(
        text=text,
        description=document.get("Description"),
        parameters={name: _parameter(name, spec) for name, spec in _section(document, "Parameters").items()},
        transforms=transforms,
    )


def load(text: str) -> dict[str, Json]:
    """Return the document that *text* (JSON or YAML) is; raises ApiError in AWS's words."""
    document = _load(text)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    unknown = sorted(str(key) for key in document.keys() - SECTIONS)
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    return document


def _transforms(document: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the names of the macros in the Transform section and in Fn::Transform, each once."""
    declared = document.get("Transform", [])
    named = [*(declared if isinstance(declared, list) else [declared]), *_embedded(document)]
    if not all(isinstance(each, str) or (isinstance(each, dict) and "Name" in each) for each in named):
        raise invalid("Template format error: unsupported structure.")
    return tuple(dict.fromkeys(str(each["Name"] if isinstance(each, dict) else each) for each in named))


def _embedded(node: Json) -> Iterator[Json]:
    if isinstance(node, dict) and "Fn::Transform" in node:
        yield node["Fn::Transform"]
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _embedded(inner)


def build(text: str, document: Mapping[str, Json], transforms: tuple[str, ...] = ()) -> Template:
    """Return the template of a *document* without macros, *text* and *transforms* are what it was before."""
    sections = {
        name: _section(document, name)
        for name in ("Parameters", "Mappings", "Conditions", "Outputs", "Metadata")
    }
    if not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return Template(
        text=text,
        description=document.get("Description"),
        version=str(document["AWSTemplateFormatVersion"]) if "AWSTemplateFormatVersion" in document else None,
        metadata=sections["Metadata"],
        parameters={name: _parameter(name, spec) for name, spec in sections["Parameters"].items()},
        mappings=_mappings(sections["Mappings"]),
        conditions=sections["Conditions"],
        resources={name: _resource(name, spec) for name, spec in _section(document, "Resources").items()},
        outputs={key: _output(key, spec) for key, spec in sections["Outputs"].items()},
        transforms=transforms,
    )


def _load(text: str) -> Json:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            where = f"(line {error.lineno}, column {error.colno})"
            raise invalid(f"Template format error: JSON not well-formed. {where}") from error
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with the short functions
    except yaml.YAMLError as error:
        raise invalid("Template format error: YAML not well-formed.") from error


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions and no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_function(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Json = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]  # the third kind of node


_Loader.add_multi_constructor("!", _short_function)


def _section(document: Mapping[str, Json], name: str) -> dict[str, Json]:
    section = document.get(name, {})
    if section is None and name != "Resources":
        raise invalid(f"[/{name}] 'null' values are not allowed in templates")
    if not isinstance(section, dict):
        raise invalid("Template format error: unsupported structure.")
    return section


def _alphanumeric(kind: str, name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9]+", str(name)):
        raise invalid(f"Template format error: {kind} name {name} is non alphanumeric.")


def _parameter(name: str, spec: Json) -> ParameterSpec:
    _alphanumeric("Parameter", name)
    if not isinstance(spec, dict) or "Type" not in spec:
        raise invalid(f"Template format error: Every Parameters object must contain a Type member. [{name}]")
    default = spec.get("Default")
    return ParameterSpec(
        name=name,
        type=spec["Type"],
        default=None if default is None else scalar(default),
        no_echo=scalar(spec.get("NoEcho", False)) == "true",
        rules=spec,
    )


def scalar(value: Json) -> str:
    """Return a scalar as CloudFormation writes it: true, 5, text."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _mappings(mappings: Mapping[str, Json]) -> Mapping[str, Json]:
    for name, first in mappings.items():
        if not isinstance(first, dict) or not all(isinstance(second, dict) for second in first.values()):
            raise invalid(f"Template format error: Every Mappings member {name} must be a map")
    return mappings


def _resource(name: str, spec: Json) -> ResourceSpec:
    _alphanumeric("Resource", name)
    if not isinstance(spec, dict):
        raise invalid("Template format error: Any Resources member must be an object.")
    if not isinstance(spec.get("Type"), str):
        raise invalid(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    unknown = sorted(spec.keys() - RESOURCE_KEYS)
    if unknown:
        raise invalid(f"Invalid template resource property '{unknown[0]}'")
    for part in ("Properties", "Metadata"):
        if not isinstance(spec.get(part) or {}, dict):
            raise invalid(f"Template format error: [/Resources/{name}/{part}] {part} must be an object.")
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if not isinstance(spec.get(policy, ""), str):
            raise invalid(f"Template format error: Every {policy} member must be a string.")
    depends = spec.get("DependsOn", [])
    return ResourceSpec(
        logical_id=name,
        type=spec["Type"],
        properties=spec.get("Properties") or {},
        depends_on=(depends,) if isinstance(depends, str) else tuple(depends),
        condition=spec.get("Condition"),
        metadata=spec.get("Metadata") or {},
        deletion_policy=spec.get("DeletionPolicy", "Delete"),
        update_replace_policy=spec.get("UpdateReplacePolicy", "Delete"),
        with_policy="DeletionPolicy" in spec,
    )


def _output(key: str, spec: Json) -> OutputSpec:
    _alphanumeric("Output", key)
    if not isinstance(spec, dict) or "Value" not in spec:
        raise invalid("Template format error: Every Outputs member must contain a Value object")
    if spec["Value"] is None:
        raise invalid(f"[/Outputs/{key}/Value] 'null' values are not allowed in templates")
    export = spec.get("Export")
    if export is not None and (not isinstance(export, dict) or "Name" not in export):
        raise invalid(
            f"Template format error: Output {key} is malformed. The Export member must contain a Name."
        )
    return OutputSpec(
        key, spec["Value"], export and export["Name"], spec.get("Condition"), spec.get("Description")
    )
