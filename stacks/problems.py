"""What is wrong with an environment file, in words: one line a problem, with its place. Reads nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Path: TypeAlias = tuple[str | int, ...]
"""Place of a value: keys of mappings and indices of lists."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "dict_type": "keys with values below it",
    "model_type": "keys with values below it",
    "tuple_type": "a list",
}


@dataclass(frozen=True)
class Problem:
    """One thing to put right in the file."""

    line: int | None
    """From 1; None where no line can be named."""
    key: str
    """``network.nat_gateways``, or empty where no key can be named."""
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


@dataclass(frozen=True)
class Finding:
    """What a check over several keys found: the key to show, what to do, and the other keys it looked at."""

    key: str
    message: str
    also: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that the finding depends on."""
        return (self.key, *self.also)


def spelled(path: Path) -> str:
    """Return *path* as people write it: ``service.config.model_list[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_printable(part)}" for part in path)
    return text.removeprefix(".")


def describe(error: ErrorDetails, model: type[BaseModel], spelling: str | None) -> str:
    """
    Return one of pydantic's errors in our words.

    *spelling* is the value as it stands in the file, where it stands without quotes.
    """
    kind, path, value = error["type"], _path(error), error["input"]
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if kind == "missing":
        return "missing"
    if kind == "literal_error":
        return f"{_shown(value)} is none of {error['ctx']['expected']}"
    if kind == "string_type" and not isinstance(value, (dict, list)) and value is not None:
        return _quote(path, value, spelling)
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_kind(value)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return {"missing": "missing", "too_short": "the list needs one entry at least"}.get(kind, error["msg"])


def _path(error: ErrorDetails) -> Path:
    return tuple(part for part in error["loc"] if part != "[key]")


def _quote(path: Path, value: object, spelling: str | None) -> str:
    secret = path[:2] == ("service", "environment")
    written = "…" if secret or spelling is None else spelling
    return f'YAML reads this as {_kind(value)}, not as text; quote it: {_printable(str(path[-1]))}: "{written}"'


def _unknown(path: Path, model: type[BaseModel]) -> str:
    wrong = str(path[-1])
    known = known_keys(model, path[:-1])
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    elsewhere = [key for key in _all_keys(model) if key.rsplit(".", 1)[-1] == wrong]
    if elsewhere:
        return f"unknown key; did you mean {elsewhere[0]}?"
    return f"unknown key; known here: {', '.join(known)}"


def known_keys(model: type[BaseModel], path: Iterable[str | int] = ()) -> tuple[str, ...]:
    """Return the keys that *model* knows at *path*."""
    for part in path:
        found = _model_of(model.model_fields[str(part)].annotation)
        if found is None:
            return ()
        model = found
    return tuple(model.model_fields)


def _all_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, info in model.model_fields.items():
        keys.append(f"{prefix}{name}")
        section = _model_of(info.annotation)
        if section:
            keys += _all_keys(section, f"{prefix}{name}.")
    return keys


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that *annotation* is, or may be besides None."""
    options = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _kind(value: object) -> str:
    """Return what *value* is in YAML's terms, never the value of anything long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return f"the text {_shown(value)}"
    return "a list" if isinstance(value, (list, tuple)) else "keys with values"


def _shown(value: object) -> str:
    if isinstance(value, Mapping | list | tuple):
        return _kind(value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _printable(text: str) -> str:
    """Return *text* on one line, whatever is in it."""
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in short)
