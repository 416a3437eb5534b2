"""Resolves a template's functions with parameter values and a `World` of resources and exports."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sandbox.cloudformation.templates.references import SUBSTITUTION, attribute_of
from sandbox.cloudformation.templates.template import Template, scalar
from sandbox.errors import invalid

Json = Any
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
_WITH_DEFAULT = 4
"""Arguments of a Fn::FindInMap with a default value for missing keys."""
_DYNAMIC = re.compile(r"\{\{resolve:[^{}]+\}\}")


class _NoValue:
    """The result of AWS::NoValue: nothing."""


NO_VALUE = _NoValue()


class Unresolvable(Exception):  # noqa: N818 - a state, and no error where it is expected
    """A value that is not known yet; the text names it."""


class World(Protocol):
    """Values that only the account knows."""

    def ref(self, logical_id: str) -> Json:
        """Return what `Ref` of a resource gives."""

    def attribute(self, logical_id: str, name: str) -> Json:
        """Return what `Fn::GetAtt` gives."""

    def exported(self, name: str) -> Json:
        """Return the value of an export."""

    def output(self, stack: str, name: str, region: str) -> Json:
        """Return the value of another stack's output."""

    def zones(self, region: str) -> list[str]:
        """Return what `Fn::GetAZs` gives."""


class Resolver:
    """Resolves values of one template."""

    def __init__(self, template: Template, values: Mapping[str, Json], world: World) -> None:
        """*values* are of parameters and of pseudo parameters."""
        self._template = template
        self._values = values
        self._world = world
        self._conditions: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Json], Json]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Split": self._split,
            "Fn::Select": self._select,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda argument: base64.b64encode(self._text(argument).encode()).decode(),
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": lambda argument: self._world.exported(self._text(argument)),
            "Fn::GetStackOutput": self._output,
            "Condition": self.condition,
            "Fn::Equals": self._equals,
            "Fn::And": lambda argument: all(map(self._truth, argument)),
            "Fn::Or": lambda argument: any(map(self._truth, argument)),
            "Fn::Not": lambda argument: not self._truth(argument[0]),
        }
        if "AWS::LanguageExtensions" in template.transforms:
            self._functions |= {"Fn::Length": self._length, "Fn::ToJsonString": self._json}

    def resolve(self, value: Json) -> Json:
        """Return *value* with every function resolved; AWS::NoValue is left out."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                return self._applied(name, argument)
            if name in ("Fn::Length", "Fn::ToJsonString"):
                raise invalid(f"Template error: Encountered unsupported function: {name}")
            if name.startswith("Fn::"):
                raise invalid(f"Template format error: {name} is not offered by this sandbox.")
        resolved = {key: self.resolve(inner) for key, inner in value.items()}
        return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}

    def _applied(self, name: str, argument: Json) -> Json:
        try:
            return self._functions[name](argument)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
            raise invalid(f"Template error: the argument of {name} is malformed.") from error

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        if name not in self._template.conditions:
            raise invalid(f"Template error: unresolved condition dependency {name} in Fn::If")
        if name not in self._conditions:
            self._conditions[name] = self._truth(self._template.conditions[name])
        return self._conditions[name]

    def _truth(self, value: Json) -> bool:
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, bool) else scalar(resolved) == "true"

    def _text(self, value: Json) -> str:
        resolved = self.resolve(value)
        if isinstance(resolved, dict | list) or resolved is NO_VALUE:
            raise invalid("Template error: a function that takes a string was given a list or a map.")
        return scalar(resolved)

    def _ref(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self._values[name] if name in self._values else self._world.ref(name)

    def _get_att(self, argument: Json) -> Json:
        reference = attribute_of(argument)
        return self._world.attribute(reference.name, self._text(reference.attribute))

    def _sub(self, argument: Json) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + name + "}"
            if name in given:
                return self._text(given[name])
            head, dot, attribute = name.partition(".")
            return scalar(self._world.attribute(head, attribute) if dot else self._ref(name))

        return SUBSTITUTION.sub(replaced, text)

    def _join(self, argument: Json) -> str:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise invalid(
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and "
                "(2) a list of strings to be joined or a function that returns a list of strings "
                "(such as Fn::GetAZs) to be joined."
            )
        parts = self.resolve(argument[1])
        return (
            KNOWN_AFTER_APPLY
            if parts == KNOWN_AFTER_APPLY
            else argument[0].join(scalar(part) for part in parts)
        )

    def _split(self, argument: Json) -> Json:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise invalid(
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and "
                "(2) a string to be split or a function that returns a string to be split."
            )
        text = self._text(argument[1])
        return KNOWN_AFTER_APPLY if KNOWN_AFTER_APPLY in text else text.split(argument[0])

    def _select(self, argument: Json) -> Json:
        index, items = self.resolve(argument[0]), self.resolve(argument[1])
        if items == KNOWN_AFTER_APPLY:
            return items
        try:
            return items[int(index)]
        except (IndexError, ValueError, TypeError) as error:
            raise invalid(
                f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            ) from error

    def _if(self, argument: Json) -> Json:
        name, yes, no = argument
        return self.resolve(yes if self.condition(name) else no)

    def _find_in_map(self, argument: Json) -> Json:
        name, first, second = (self._text(each) for each in argument[:3])
        try:
            return self._template.mappings[name][first][second]
        except KeyError as error:
            if "AWS::LanguageExtensions" in self._template.transforms and len(argument) == _WITH_DEFAULT:
                return self.resolve(argument[3]["DefaultValue"])
            raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from error

    def _length(self, argument: Json) -> Json:
        items = self.resolve(argument)
        if items == KNOWN_AFTER_APPLY:
            return items
        if not isinstance(items, list):
            raise invalid("Template error: Fn::Length object requires a list.")
        return len(items)

    def _json(self, argument: Json) -> str:
        text = json.dumps(self.resolve(argument), separators=(",", ":"))
        return KNOWN_AFTER_APPLY if KNOWN_AFTER_APPLY in text else text

    def _cidr(self, argument: Json) -> Json:
        block, count = self._text(argument[0]), int(self._text(argument[1]))
        if KNOWN_AFTER_APPLY in block:
            return KNOWN_AFTER_APPLY
        network = ipaddress.ip_network(block)
        bits = int(self._text(argument[2])) if len(argument) > 2 else 8
        subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
        return [str(subnet) for subnet, _ in zip(subnets, range(count), strict=False)]

    def _output(self, argument: Json) -> Json:
        """
        Return the current value of another stack's output.

        CloudFormation Template Reference, "Fn::GetStackOutput": StackName, OutputName, Region (this one where
        it is left out), RoleArn (who asks); nothing keeps the other stack from changing it.
        """
        given = {key: self._text(value) for key, value in argument.items()}
        if unknown := given.keys() - {"StackName", "OutputName", "Region", "RoleArn"}:
            raise invalid(f"Template error: Fn::GetStackOutput has no {', '.join(sorted(unknown))}.")
        own = self._values["AWS::AccountId"]
        if "RoleArn" in given and f"::{own}:" not in given["RoleArn"]:
            raise invalid(
                "Template error: Fn::GetStackOutput of other accounts is not offered by this sandbox."
            )
        region = given.get("Region") or str(self._values["AWS::Region"])
        return self._world.output(given["StackName"], given["OutputName"], region)

    def _zones(self, argument: Json) -> list[str]:
        return self._world.zones(self._text(argument) or self._values["AWS::Region"])

    def _equals(self, argument: Json) -> bool:
        if not isinstance(argument, list) or len(argument) != 2:
            raise invalid("Template error: every Fn::Equals object requires a list of 2 string parameters.")
        return self._text(argument[0]) == self._text(argument[1])


def with_dynamic(value: Json, resolve: Callable[[str], str]) -> Json:
    """Replace every `{{resolve:...}}` in *value*; the result may hold secrets: for provisioners only."""
    if isinstance(value, list):
        return [with_dynamic(each, resolve) for each in value]
    if isinstance(value, dict):
        return {key: with_dynamic(inner, resolve) for key, inner in value.items()}
    if isinstance(value, str):
        return _DYNAMIC.sub(lambda match: resolve(match.group(0)), value)
    return value
