"""Errors of an environment file as text: one line per problem, with its place. Reads nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from stacks.near import near

Place: TypeAlias = tuple[str | int, ...]
"""Place of a value: keys of mappings and indices of lists."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "keys with values below it",
    "model_type": "keys with values below it",
    "tuple_type": "a list",
}


RETIRED: Mapping[str, str] = {
    "pipelines.azure_devops.pipelines": (
        "a pipeline's own token (p://organization/project/pipeline) names neither branch nor approval, so "
        "that the file of a pull request would deploy; write service_connection for who deploys, and these "
        "names under plan_pipelines"
    ),
    "pipelines.github.branches": (
        "a branch's token (repo:owner/name:ref:refs/heads/...) waits for no approval; write environments for "
        "who deploys, and these names under plan_branches"
    ),
}
"""Removed keys -> why, and what to write."""


class Problem(NamedTuple):
    """One error in the file."""

    line: int | None
    """From 1; None where no line can be named."""
    key: str
    """``network.nat_gateways``, or empty where no key can be named."""
    message: str
    file: Path | None = None
    """The file that it stands in, where that is not the named one."""

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class Finding(NamedTuple):
    """An error that a check over several keys found, and what to do."""

    key: str
    """The key to show, with dots."""
    message: str
    also: tuple[str, ...] = ()
    """The other keys that the check read."""
    below: Place = ()
    """Where it is under *key*, by keys that are the user's own."""

    @property
    def place(self) -> Place:
        """The place to show."""
        return (*self.key.split("."), *self.below)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that the finding depends on."""
        return (self.place, *(tuple(key.split(".")) for key in self.also))


def spelled(place: Place) -> str:
    """Return *place* as people write it: ``service.config.model_list[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in place)
    return text.removeprefix(".")


def describe(error: ErrorDetails, model: type[BaseModel], spelling: str | None) -> str:
    """
    Return one of pydantic's errors on *model* in our words.

    *spelling* is the value as written in the file, if it is without quotes.
    """
    kind, value, place, facts = error["type"], error["input"], place_of(error), error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(place, model)
    if kind == "string_type" and isinstance(value, bool | int | float):
        return _quote(place, value, spelling)
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_kind(value)}{_unquote(kind, value)}"
    said = {
        "literal_error": f"{_shown(value)} is unknown; write {facts.get('expected')}",
        "missing": "missing",
        "too_short": f"the list is too short; {facts.get('min_length')} at least",
        "too_long": f"the list is too long; {facts.get('max_length')} at most",
        "value_error": str(facts.get("error")),
    }
    return said.get(kind, error["msg"])


def place_of(error: ErrorDetails) -> Place:
    """Return where in the file *error* is; pydantic marks the key of a mapping by a part of its own."""
    return tuple(part for part in error["loc"] if part != "[key]")


def _quote(place: Place, value: object, spelling: str | None) -> str:
    """Say how to quote text that YAML reads as something else; a possible secret is not repeated."""
    hidden = place[:2] == ("service", "environment") or spelling is None
    written = f'"{"..." if hidden else printable(str(spelling))}"'
    key = "" if isinstance(place[-1], int) else f"{printable(place[-1])}: "
    return f"YAML reads this as {_kind(value)}, not as text; quote it: {key}{written}"


def _unquote(kind: str, value: object) -> str:
    plain = {"int_type": r"[0-9]+", "bool_type": r"(?i)true|false"}.get(kind)
    if plain and isinstance(value, str) and re.fullmatch(plain, value):
        return f"; write {printable(value)} without quotes"
    return ""


def _unknown(place: Place, model: type[BaseModel]) -> str:
    if retired := RETIRED.get(spelled(place)):
        return retired
    wrong = str(place[-1])
    known = known_keys(model, place[:-1])
    if meant := near(wrong, known):
        return f"unknown key; did you mean {meant}?"
    elsewhere = [key for key in _all_keys(model) if key.rsplit(".", 1)[-1] == wrong]
    if elsewhere:
        return f"unknown key; did you mean {elsewhere[0]}?"
    return f"unknown key; known here: {', '.join(known)}"


def known_keys(model: type[BaseModel], place: Place = ()) -> tuple[str, ...]:
    """Return the keys that *model* knows at *place*."""
    for part in place:
        known = model.model_fields.get(str(part))  # none: an index, or a name of the user's own
        annotation = _value_of(known.annotation) if known else None
        model = _model_of(annotation) or entry_of(annotation) or model
    return tuple(model.model_fields)


def _all_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, info in model.model_fields.items():
        keys.append(f"{prefix}{name}")
        section, entry = _model_of(info.annotation), entry_of(info.annotation)
        if section:
            keys += _all_keys(section, f"{prefix}{name}.")
        if entry:
            keys += _all_keys(entry, f"{prefix}{name}[].")
    return keys


def _value_of(annotation: Any) -> Any:
    """Return what stands behind the names of a mapping, or *annotation* itself."""
    if get_origin(annotation) is not dict:
        return annotation
    value = get_args(annotation)[1]
    return get_args(value)[0] if get_origin(value) is Annotated else value


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that *annotation* is, or may be besides None."""
    several = get_origin(annotation) in {Union, UnionType}
    options = get_args(annotation) if several else (annotation,)
    return next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def entry_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that each entry of a list is; None where it is no list of such."""
    inner = get_args(annotation) if get_origin(annotation) is tuple else ()
    return next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _kind(value: object) -> str:
    """Return what *value* is in YAML's terms."""
    kinds: dict[type, str] = {
        type(None): "nothing",
        bool: f"the boolean {str(value).lower()}",
        int: "a number",
        float: f"the decimal number {value}",
        str: "text",
        list: "a list",
    }
    return kinds.get(type(value), "keys with values")


def _shown(value: object) -> str:
    text = _kind(value) if isinstance(value, Mapping | list) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def printable(text: str) -> str:
    """Return *text* on one line, whatever is in it."""
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in short)
