"""
Writes the plain troposphere script that `generate` is measured against, from the templates that it wrote.

It is what a person would write who knew every value beforehand: one file, troposphere's own classes down to
the last nested property, its functions, no settings file, no checks, no loops. So it does the least that a
program on troposphere can do, and it imports only what its resources need. Its files equal ours byte for
byte, which is checked before anything is timed.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import troposphere
from troposphere import AWSProperty
from troposphere.template_generator import TemplateGenerator

FUNCTIONS = {
    "Ref": "Ref",
    "Fn::Equals": "Equals",
    "Fn::GetAZs": "GetAZs",
    "Fn::GetAtt": "GetAtt",
    "Fn::If": "If",
    "Fn::ImportValue": "ImportValue",
    "Fn::Join": "Join",
    "Fn::Select": "Select",
    "Fn::Split": "Split",
    "Fn::Sub": "Sub",
}
"""CloudFormation's functions that our templates use -> troposphere's."""
SPREAD = {"Fn::Equals", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Split"}
"""Those that take their list as several arguments."""


def script(templates: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the source of a script that writes *templates*, by name, into the folder it is started in."""
    body = _Body()
    for name, template in templates.items():
        body.add(template)
        body.lines.append(f"with open({name + '.json'!r}, 'w') as file:")
        body.lines.append("    file.write(json.dumps(t.to_dict(), indent=1, sort_keys=True) + '\\n')")
    return "\n".join(["import json", *body.imports(), *body.lines, ""])


def handler(template: Mapping[str, Any]) -> str:
    """Return the source of a module in which Sceptre finds *template*."""
    body = _Body()
    body.add(template)
    inside = [f"    {line}" for line in body.lines]
    return "\n".join([*body.imports(), "def sceptre_handler(_):", *inside, "    return t.to_json()", ""])


def blueprint(template: Mapping[str, Any]) -> str:
    """Return the source of a module in which CFNgin finds *template* as a blueprint, ``Made``."""
    body = _Body()
    body.add(template)
    inside = [f"        {line}" for line in body.lines if line != "t = Template()"]
    head = ["from runway.cfngin.blueprints.base import Blueprint", "class Made(Blueprint):"]
    method = ["    def create_template(self):", "        t = self.template", *inside]
    return "\n".join([*body.imports(), *head, *method, ""])


def read(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the templates of a folder that `generate` wrote."""
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}


class _Body:
    """The lines of the script and the modules that they need."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self.lines: list[str] = []
        self._classes = TemplateGenerator({"Resources": {}})

    def imports(self) -> list[str]:
        functions = sorted({*FUNCTIONS.values(), "Export", "Output", "Parameter", "Tags", "Template"})
        return [
            f"from troposphere import {', '.join(functions)}",
            *(f"import {one}" for one in sorted(self._modules)),
        ]

    def add(self, template: Mapping[str, Any]) -> None:
        add = self.lines.append
        add("t = Template()")
        add(f"t.set_version({template['AWSTemplateFormatVersion']!r})")
        add(f"t.set_description({template['Description']!r})")
        if "Metadata" in template:
            add(f"t.set_metadata({template['Metadata']!r})")
        for key, parameter in template.get("Parameters", {}).items():
            add(f"t.add_parameter(Parameter({key!r}, {self._arguments(parameter, {})}))")
        for key, condition in template.get("Conditions", {}).items():
            add(f"t.add_condition({key!r}, {self._value(condition)})")
        for key, resource in template["Resources"].items():
            add(f"t.add_resource({self._resource(key, resource)})")
        for key, output in template.get("Outputs", {}).items():
            add(f"t.add_output(Output({key!r}, {self._output(output)}))")

    def _resource(self, key: str, resource: Mapping[str, Any]) -> str:
        kind = self._classes._get_resource_type_cls(key, resource)  # noqa: SLF001 - its table of all types
        around = {name: value for name, value in resource.items() if name not in {"Type", "Properties"}}
        inside = self._arguments(resource.get("Properties", {}), kind.props)
        parts = [
            repr(key),
            *([inside] if inside else []),
            *(f"{name}={self._value(value)}" for name, value in around.items()),
        ]
        return f"{self._named(kind)}({', '.join(parts)})"

    def _output(self, output: Mapping[str, Any]) -> str:
        parts = {name: self._value(value) for name, value in output.items() if name != "Export"}
        if "Export" in output:
            parts["Export"] = f"Export({self._value(output['Export']['Name'])})"
        return ", ".join(f"{name}={value}" for name, value in parts.items())

    def _arguments(self, values: Mapping[str, Any], props: Mapping[str, Any]) -> str:
        return ", ".join(
            f"{name}={self._typed(value, props.get(name, (None,))[0])}" for name, value in values.items()
        )

    def _typed(self, value: Any, kind: Any) -> str:
        """Return the source of *value*, a property of a type, with troposphere's classes."""
        if isinstance(kind, list) and isinstance(value, list):
            return f"[{', '.join(self._typed(one, kind[0]) for one in value)}]"
        if isinstance(kind, type) and issubclass(kind, AWSProperty) and _is_plain(value):
            return f"{self._named(kind)}({self._arguments(value, kind.props)})"
        if kind is troposphere.Tags and isinstance(value, list):
            pairs = ", ".join(f"{tag['Key']!r}: {self._value(tag['Value'])}" for tag in value)
            return f"Tags({{{pairs}}})"
        return self._value(value)

    def _value(self, value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(self._value(one) for one in value)}]"
        if not isinstance(value, dict):
            return repr(value)
        if len(value) == 1 and (name := next(iter(value))) in FUNCTIONS:
            given = value[name]
            if name == "Fn::GetAtt" and isinstance(given, str):
                given = given.split(".", 1)
            many = name in SPREAD and isinstance(given, list)
            return f"{FUNCTIONS[name]}({', '.join(map(self._value, given)) if many else self._value(given)})"
        return f"{{{', '.join(f'{key!r}: {self._value(one)}' for key, one in value.items())}}}"

    def _named(self, kind: type) -> str:
        self._modules.add(kind.__module__)
        importlib.import_module(kind.__module__)
        return f"{kind.__module__}.{kind.__name__}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, dict) and not (len(value) == 1 and next(iter(value)) in FUNCTIONS)
