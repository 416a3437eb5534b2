"""
Validates property values by a provider schema, as CloudFormation does. Pure.

The keywords are those of the resource type definition schema (CloudFormation CLI User Guide, "Resource type
schema"). Numbers and booleans may be given as text and text as numbers, as CloudFormation accepts them. What
cfn-lint adds to the schemas under keywords of its own (`format`, `requiredXor`, `if`) is not CloudFormation's
and is ignored. A value that is not known yet is not validated.

Messages: aws-cloudformation/cloudformation-resource-schema#37 and #40 (they contain no values); of
pre-deployment validation: aws/aws-cdk-cli#1463 and users' reports ("Unsupported property").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.provisioning import Refused

Json = Any
Schema = Mapping[str, Any]
_UNKNOWN = "{{"
"""Marks a text known later: a reference to a new resource, or a dynamic one."""
_NAMES: Mapping[str, str] = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "object": "JSONObject",
    "array": "JSONArray",
}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Fault:
    """An error in a value, and the path to it."""

    path: tuple[str, ...]
    message: str
    early: str = ""
    """The message of pre-deployment validation, if it is known to differ."""


def refused(schema: Schema, properties: Mapping[str, Json]) -> tuple[Refused, ...]:
    """Return the errors of a type's *schema* about a resource's *properties*."""
    found = _Judge(schema).faults(schema, properties, ())
    return tuple(
        Refused(
            "".join(f"/{name}" for name in each.path),
            f"{'/'.join(('#', *each.path))}: {each.message}",
            each.early or each.message,
        )
        for each in found
    )


class _Judge:
    def __init__(self, root: Schema) -> None:
        self._definitions: Mapping[str, Schema] = root.get("definitions", {})

    def faults(self, schema: Schema, value: Json, path: tuple[str, ...]) -> Iterator[Fault]:
        schema = self._resolved(schema)
        if _unknown(value):
            return
        kinds = schema.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_IS[kind](value) for kind in kinds if kind in _IS):
            expected = _NAMES.get(kinds[0], str(kinds[0]))
            yield Fault(path, f"expected type: {expected}, found: {_kind(value)}")
            return
        if isinstance(value, Mapping):
            yield from self._object(schema, value, path)
        elif isinstance(value, list):
            yield from self._array(schema, value, path)
        else:
            yield from _scalar(schema, value, path)
        yield from self._subschemas(schema, value, path)

    def _resolved(self, schema: Schema) -> Schema:
        reference = str(schema.get("$ref", ""))
        if not reference.startswith("#/definitions/"):
            return schema
        return self._definitions.get(reference.removeprefix("#/definitions/"), {})

    def _object(self, schema: Schema, value: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Fault]:
        for name in schema.get("required", ()):
            if name not in value:
                yield Fault(path, f"required key [{name}] not found", f"Required property [{name}] not found")
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, entry in value.items():
            if name in known:
                yield from self.faults(known[name], entry, (*path, name))
                continue
            fitting = next((pattern for pattern in patterns if _matches(pattern, name)), None)
            if fitting is not None:
                yield from self.faults(patterns[fitting], entry, (*path, name))
            elif schema.get("additionalProperties") is False:
                words = f"extraneous key [{name}] is not permitted"
                yield Fault(path, words, f"Unsupported property [{name}]")

    def _array(self, schema: Schema, value: list[Json], path: tuple[str, ...]) -> Iterator[Fault]:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if len(value) < least:
            yield Fault(path, f"expected minimum item count: {least}, found: {len(value)}")
        if most is not None and len(value) > most:
            yield Fault(path, f"expected maximum item count: {most}, found: {len(value)}")
        if schema.get("uniqueItems") and _repeated(value):
            yield Fault(path, "array items are not unique")
        if isinstance(schema.get("items"), Mapping):
            for number, entry in enumerate(value):
                yield from self.faults(schema["items"], entry, (*path, str(number)))

    def _subschemas(self, schema: Schema, value: Json, path: tuple[str, ...]) -> Iterator[Fault]:
        for each in schema.get("allOf", ()):
            yield from self.faults(each, value, path)
        any_of, one_of = schema.get("anyOf", ()), schema.get("oneOf", ())
        if any_of and not self._fitting(any_of, value):
            total = f"no subschema matched out of the total {len(any_of)} subschemas"
            yield Fault(path, f"#: {total}")
        if one_of and self._fitting(one_of, value) == 0:
            yield Fault(path, "#: 0 subschemas matched instead of one")

    def _fitting(self, choices: list[Schema], value: Json) -> int:
        return sum(next(self.faults(each, value, ()), None) is None for each in choices)


def _scalar(schema: Schema, value: Json, path: tuple[str, ...]) -> Iterator[Fault]:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "enum" in schema and text not in {_text(each) for each in schema["enum"]}:
        yield Fault(path, "failed validation constraint for keyword [enum]")
    if "pattern" in schema and not _matches(schema["pattern"], text):
        yield Fault(path, "failed validation constraint for keyword [pattern]")
    if schema.get("type") == "string":
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        if len(text) < least:
            yield Fault(path, f"expected minLength: {least}, actual: {len(text)}")
        if most is not None and len(text) > most:
            yield Fault(path, f"expected maxLength: {most}, actual: {len(text)}")
    if schema.get("type") in ("integer", "number"):
        number = float(text)
        if number < schema.get("minimum", number):
            yield Fault(path, "failed validation constraint for keyword [minimum]")
        if number > schema.get("maximum", number):
            yield Fault(path, "failed validation constraint for keyword [maximum]")


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(value: Json) -> bool:
    return isinstance(value, str) and _UNKNOWN in value


def _repeated(entries: list[Json]) -> bool:
    known = [entry for entry in entries if _UNKNOWN not in str(entry)]
    return any(entry in known[:number] for number, entry in enumerate(known))


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return ECMA's *pattern* in Python's syntax; None for the few that it cannot parse."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _matches(pattern: str, text: str) -> bool:
    found = _compiled(pattern)
    return found is None or found.search(text) is not None


def _is_number(value: Json) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return _is_number(value) and float(value).is_integer()


_IS: Mapping[str, Callable[[Json], bool]] = {
    "string": lambda value: isinstance(value, str | int | float),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool) or str(value).lower() in ("true", "false"),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
}


def _kind(value: Json) -> str:
    if isinstance(value, Mapping | list):
        return "JSONObject" if isinstance(value, Mapping) else "JSONArray"
    if isinstance(value, bool):
        return "Boolean"
    return {int: "Integer", float: "Number"}.get(type(value), "String")
