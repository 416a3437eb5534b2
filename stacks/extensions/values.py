"""Parameter values of a team's own template, validated as CloudFormation does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.checking.problems import Place, printable
from stacks.extensions import GIVEN

Objection = tuple[Place, str]
"""Where, and what is wrong with it and what to do."""

SSM = r"AWS::SSM::Parameter::Value<(?P<of>[^<>]+(<[^<>]+>)?)>"
_SSM_NAME = r"[A-Za-z0-9_./:-]{1,2048}"
_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
_TYPE = (
    r"String|Number|CommaDelimitedList|List<Number>|AWS::SSM::Parameter::Name|(List<)?AWS::[A-Za-z0-9:]+>?"
)
"""CloudFormation User Guide, "Supplied parameter types"."""
HIDDEN_VALUE = (
    "is NoEcho, so a secret, and no secret goes through a file: take the parameter out, and let the template "
    'say "{{resolve:secretsmanager:NAME:SecretString:KEY}}" where the value is used, or make the secret '
    "itself (AWS::SecretsManager::Secret with GenerateSecretString)"
)


def text_of(value: Any) -> str:
    """Return a parameter's default as CloudFormation writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(text_of, value)) if isinstance(value, list) else str(value)


def values(declared: Mapping[str, Any], said: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each *declared* parameter that has one: the file's, gatestack's, the default."""
    found = {name: text_of(one["Default"]) for name, one in declared.items() if "Default" in one}
    return {
        **found,
        **{name: value for source in (given, said) for name, value in source.items() if name in declared},
    }


def static(declared: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, str]:
    """Return the values that functions see as text, without those that SSM provides on deployment."""
    return {name: value for name, value in found.items() if not re.fullmatch(SSM, declared[name]["Type"])}


def objections_to_file(
    declared: Mapping[str, Any], said: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Objection]:
    """Yield what is wrong with the parameters in the environment file, by their places below it."""
    for name, value in said.items():
        if name in GIVEN:
            yield (name,), "gatestack gives this parameter itself; leave it out"
        elif name not in declared:
            have = ", ".join(sorted(declared.keys() - set(GIVEN))) or "none"
            yield (name,), f"the template declares no parameter {printable(name)}; it has {have}"
        elif problem := _problem(declared[name], value):
            yield (name,), problem
    without = [name for name in declared if name not in values(declared, said, given)]
    for name in without:
        if not _hidden(declared[name]):
            yield (), f"the template's parameter {name} has no default: write parameters: {{{name}: ...}}"


def objections_to_template(declared: Mapping[str, Any]) -> Iterator[Objection]:
    """Yield what is wrong with the parameters that the template declares, by their places below it."""
    for name, one in declared.items():
        if not isinstance(one.get("Type"), str):
            yield (name,), "a parameter has a Type"
        elif not (re.fullmatch(_TYPE, one["Type"]) or re.fullmatch(SSM, one["Type"])):
            yield (name, "Type"), f"CloudFormation has no parameter type {printable(one['Type'])}"
        elif _hidden(one):
            yield (name,), HIDDEN_VALUE
        elif problem := _malformed(one):
            yield (name, problem[0]), problem[1]


def _hidden(one: Mapping[str, Any]) -> bool:
    return text_of(one.get("NoEcho", False)) == "true"


def _malformed(one: Mapping[str, Any]) -> tuple[str, str] | None:
    for rule in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
        if rule in one and not re.fullmatch(_NUMBER, text_of(one[rule])):
            return rule, "expected a number"
    if not isinstance(one.get("AllowedValues", []), list):
        return "AllowedValues", "expected a list"
    if isinstance(one.get("Default"), dict):
        return "Default", "expected text; a default takes no functions"
    pattern = one.get("AllowedPattern")
    if pattern is not None and not isinstance(pattern, str):
        return "AllowedPattern", "expected text"
    return None


def _problem(one: Mapping[str, Any], value: str) -> str:
    """Return why CloudFormation would refuse *value*; empty where it would not."""
    kind = one.get("Type", "")
    if re.fullmatch(SSM, kind) or kind == "AWS::SSM::Parameter::Name":
        return "" if re.fullmatch(_SSM_NAME, value) else "expected the name of an SSM parameter"
    listed = kind.startswith(("CommaDelimitedList", "List<")) and value
    items = [item.strip() for item in value.split(",")] if listed else [value]
    found = next((problem for item in items if (problem := _item_problem(one, item))), "")
    return str(one["ConstraintDescription"]) if found and "ConstraintDescription" in one else found


def _item_problem(one: Mapping[str, Any], item: str) -> str:
    number = one["Type"] in {"Number", "List<Number>"}
    if number and not re.fullmatch(_NUMBER, item):
        return "expected a number"
    allowed = [text_of(each) for each in one.get("AllowedValues", [])]
    rules = (
        (number and _below(item, one.get("MinValue")), f"expected {one.get('MinValue')} at least (MinValue)"),
        (number and _below(one.get("MaxValue"), item), f"expected {one.get('MaxValue')} at most (MaxValue)"),
        (allowed and item not in allowed, f"the template takes {', '.join(allowed)}"),
        (
            not _matches(one.get("AllowedPattern"), item),
            f"it does not match {printable(str(one.get('AllowedPattern')))} (AllowedPattern)",
        ),
        (_below(len(item), one.get("MinLength")), f"{one.get('MinLength')} characters at least (MinLength)"),
        (_below(one.get("MaxLength"), len(item)), f"{one.get('MaxLength')} characters at most (MaxLength)"),
    )
    return next((text for broken, text in rules if broken), "")


def _below(one: Any, other: Any) -> bool:
    """Whether both exist and *one* is less."""
    return one is not None and other is not None and float(one) < float(other)


def _matches(pattern: str | None, item: str) -> bool:
    """Whether *item* matches; a pattern that only Java understands is left to CloudFormation."""
    try:
        return pattern is None or re.fullmatch(pattern, item) is not None
    except (re.error, RecursionError, OverflowError):
        return True
