"""Parameter values: given, previous or default; validated as by AWS, and converted for functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.cloudformation.templates.template import ParameterSpec, Template, scalar
from sandbox.errors import invalid

MASK = "****"
_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_LISTS = ("CommaDelimitedList", "List<")


@dataclass(frozen=True)
class Given:
    """A call's value of one parameter."""

    key: str
    value: str | None
    use_previous: bool


def chosen(template: Template, given: Sequence[Given], previous: Mapping[str, str] | None) -> dict[str, str]:
    """Return the value of each parameter, *previous* is None for a new stack; raises ApiError."""
    unknown = [each.key for each in given if each.key not in template.parameters]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: spec.default for name, spec in template.parameters.items()}
    for each in given:
        values[each.key] = _previous(each.key, previous) if each.use_previous else each.value
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    found = {name: value for name, value in values.items() if value is not None}
    for name, value in found.items():
        _check(template.parameters[name], value)
    return found


def _previous(key: str, previous: Mapping[str, str] | None) -> str:
    if previous is None or key not in previous:
        raise invalid(
            f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true "
            "for a parameter key not in the previous template"
        )
    return previous[key]


def _check(spec: ParameterSpec, value: str) -> None:
    items = value.split(",") if spec.type.startswith(_LISTS) and value else [value]
    for item in items:
        problem = _problem(spec, item.strip() if len(items) > 1 else item)
        if problem:
            described = spec.rules.get("ConstraintDescription")
            raise invalid(
                f"Parameter {spec.name} failed to satisfy constraint: {described}" if described else problem
            )


def _problem(spec: ParameterSpec, value: str) -> str | None:
    problem = _wrong_number(spec, value) or _wrong_text(spec, value)
    return problem and f"Parameter '{spec.name}' {problem}"


def _wrong_number(spec: ParameterSpec, value: str) -> str | None:
    rules = spec.rules
    if spec.type in ("Number", "List<Number>") and not _NUMBER.fullmatch(value):
        return "must be a number."
    if "MinValue" in rules and float(value) < float(rules["MinValue"]):
        return f"must be a number not less than {rules['MinValue']}"
    if "MaxValue" in rules and float(value) > float(rules["MaxValue"]):
        return f"must be a number not greater than {rules['MaxValue']}"
    return None


def _wrong_text(spec: ParameterSpec, value: str) -> str | None:
    rules = spec.rules
    allowed = [scalar(each) for each in rules.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return "must be one of AllowedValues"
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], value):
        return f"must match pattern {rules['AllowedPattern']}"
    if len(value) < int(rules.get("MinLength", 0)):
        return f"must contain at least {rules['MinLength']} characters"
    if len(value) > int(rules.get("MaxLength", len(value))):
        return f"must contain at most {rules['MaxLength']} characters"
    return None


def looked_up(template: Template, values: Mapping[str, str], resolve: Callable[[str], str]) -> dict[str, str]:
    """Return the values that SSM parameter types stand for, by parameter name."""
    return {
        name: resolve("{{resolve:ssm:" + values[name] + "}}")
        for name, spec in template.parameters.items()
        if _SSM.fullmatch(spec.type)
    }


def seen(template: Template, values: Mapping[str, str], found: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters' values for functions: looked-up values, lists as lists."""
    seen_: dict[str, Any] = {}
    for name, spec in template.parameters.items():
        value = found.get(name, values[name])
        inner = _SSM.fullmatch(spec.type)
        as_list = (inner.group(1) if inner else spec.type).startswith(_LISTS)
        seen_[name] = [item.strip() for item in value.split(",")] if as_list else value
    return seen_


def masked(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with those of NoEcho parameters hidden."""
    hidden = {name for name, spec in template.parameters.items() if spec.no_echo}
    return {name: MASK if name in hidden else value for name, value in values.items()}
