"""
docs/environment.md, generated from the settings: ``python -m stacks.reference`` writes it.

What a key accepts is described by its check, so the page and an error message use the same words. Makes no
AWS calls, renders no template, and reads no file but the systems' defaults.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks import STACKS
from stacks.checking.fields import Checked
from stacks.checking.problems import entry_of
from stacks.environment import defaults, is_unused
from stacks.reference_words import CHANGES, EXAMPLE, HEAD, MEANINGS
from stacks.sections import described
from stacks.settings import EnvironmentFile, Settings, System, Tier

FILE = Path(__file__).parent.parent / "docs" / "environment.md"
SYSTEMS: tuple[str, ...] = get_args(System)
TIERS: tuple[str, ...] = get_args(Tier)

UNSET = object()
"""A key that has no default."""
LONG = 48
"""Characters of a default that a row shows; what is longer is in the system's file."""
NEVER: Mapping[type, Any] = {str: "\n:/", int: -(10**9), float: -(10.0**9)}
"""Values that every check refuses."""
_REFUSAL = re.compile(r"(?: is not | is out of range; | must be | is neither )(?P<words>.*)", re.DOTALL)


@dataclass(frozen=True)
class Key:
    """One row."""

    name: str
    """With dots: ``alb.health_check.path``."""
    info: FieldInfo

    @property
    def section(self) -> str:
        """The part before the first dot; empty for keys of the file itself."""
        return self.name.partition(".")[0] if "." in self.name else ""


def keys(model: type[BaseModel] = EnvironmentFile, above: str = "") -> Iterator[Key]:
    """Yield every key that holds a value, in the order of the file."""
    described(model)
    for name, info in model.model_fields.items():
        section = _section(info.annotation)
        entry = _entry(info.annotation)
        if section:
            yield from keys(section, f"{above}{name}.")
        elif entry:
            yield from keys(entry, f"{above}{name}[].")
        else:
            yield Key(f"{above}{name}", info)


def entries(key: Key) -> Iterator[Key]:
    """Yield the keys of each entry of *key*, where that is a list of sections."""
    entry = entry_of(key.info.annotation)
    for name, info in entry.model_fields.items() if entry else ():
        inside = _section(info.annotation)
        if inside:
            yield from (Key(f"{key.name}[].{name}.{each}", one) for each, one in inside.model_fields.items())
            continue
        yield (own := Key(f"{key.name}[].{name}", info))
        yield from entries(own)


def text() -> str:
    """Return the page."""
    rows = list(keys())
    parts = [HEAD, "## A whole file", f"```yaml\n{EXAMPLE}```", "## The file itself", _table(rows, "")]
    for name, info in Settings.model_fields.items():
        section = _section(info.annotation)
        if section:
            parts += [f"## `{name}`", _introduction(name, section), _table(rows, name)]
    return "\n\n".join(parts) + "\n"


def changes(key: str) -> tuple[str, ...]:
    """Return the stacks whose templates another value of *key* can change; its own, or its section's."""
    parts = key.partition("[]")[0].split(".")
    candidates = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((CHANGES[one] for one in candidates if one in CHANGES), ())


def takes(info: FieldInfo) -> str:
    """Return in words what a key takes."""
    return _taken(info.annotation, info.metadata)


def default(key: Key) -> str:
    """Return the defaults of *key* in the systems that use it: the usual one, then who has another."""
    if "[]" in key.name:
        return "-" if key.info.is_required() else _shown(_own(key), "")
    found = {
        (system, tier): _value(defaults(system, tier), key)
        for system in SYSTEMS
        for tier in TIERS
        if not is_unused(system, key.name)
    }
    if said := MEANINGS.get(f"{key.name} default"):
        return said
    if any(value is UNSET for value in found.values()):
        return "-"
    shown = {place: _shown(value, place[0]) for place, value in found.items()}
    dev = {system: one for (system, tier), one in shown.items() if tier == TIERS[0]}
    usual = Counter(dev.values()).most_common(1)[0][0]
    others = [f"{system} {one}" for system, one in dev.items() if one != usual]
    return "; ".join([usual, *others, *_in_production(shown)])


def _in_production(shown: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Yield what production has instead: once where all that differ have the same."""
    differ = {
        system: one
        for (system, tier), one in shown.items()
        if tier == TIERS[1] and one != shown[system, TIERS[0]]
    }
    same = {
        one
        for one in differ.values()
        if all(shown[system, tier] == one for system, tier in shown if tier == TIERS[1])
    }
    for one in sorted(same):
        yield f"production {one}"
    for system, one in differ.items():
        if one not in same:
            yield f"{system} in production {one}"


def _value(values: Mapping[str, Any], key: Key) -> Any:
    found: Any = values
    for part in key.name.split("."):
        if found is None:
            return None if key.info.is_required() else _own(key)
        if part not in found:
            return UNSET if key.info.is_required() else _own(key)
        found = found[part]
    return found


def _own(key: Key) -> Any:
    value = key.info.get_default(call_default_factory=True)
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any, system: str) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, list):
        said = ", ".join(str(one) for one in value)
    elif isinstance(value, dict):
        said = json.dumps(value)
    else:
        said = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{said}`" if len(said) <= LONG else f"see `stacks/systems/{system}.yaml`"


def _taken(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    checks = [one for one in metadata if isinstance(one, Checked)]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _taken(inner[0], (*annotation.__metadata__, *checks))
    if origin in {Union, UnionType}:
        return _taken(next(one for one in inner if one is not NoneType), checks)
    if origin is Literal:
        return _one_of([f"`{one}`" for one in inner])
    if origin is tuple:
        return _list(inner, checks)
    if origin is dict:
        return "names with texts below it" if inner[1] is str else "keys with values below it"
    return _checked(annotation, checks)


def _checked(kind: type, checks: Sequence[Checked]) -> str:
    if issubclass(kind, BaseModel):
        return "with the keys below"
    if kind is bool:
        return "`true` or `false`"
    if kind is object:
        return "any value"
    refusals = [_refusal(one, NEVER[kind]) for one in checks]
    plain = {int: "a whole number", float: "a number", str: "text"}[kind]
    return next((words for words in refusals if words), plain)


def _refusal(check: Checked, never: Any) -> str:
    """Return what *check* says that it wants."""
    try:
        check.check(never)
    except ValueError as error:
        found = _REFUSAL.search(str(error))
        return found["words"].replace(" nor ", " or ") if found else ""
    return ""


def _list(inner: Sequence[Any], checks: Sequence[Checked]) -> str:
    limits = dict(pair for one in checks for pair in one.schema)
    one = _taken(inner[0])
    if Ellipsis not in inner:
        return f"two, each {one}"
    least = "at least one, " if limits.get("minItems") else ""
    most = f"at most {limits['maxItems']}, " if "maxItems" in limits else ""
    return f"a list, {least}{most}each {one}"


def _one_of(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _introduction(name: str, section: type[BaseModel]) -> str:
    doc = " ".join((section.__doc__ or "").split())
    return f"{doc}{_for_whom(name)}"


def _for_whom(key: str) -> str:
    """Return which systems have no use for *key*."""
    users = [system for system in SYSTEMS if not is_unused(system, key)]
    if len(users) == len(SYSTEMS):
        return ""
    if len(users) <= len(SYSTEMS) // 2:
        return f" Only with {' and '.join(users)}."
    return f" Not with {' and '.join(system for system in SYSTEMS if system not in users)}."


def _table(rows: Sequence[Key], section: str) -> str:
    lines = ["| key | takes | default | changes | what it is |", "|---|---|---|---|---|"]
    lines += [_row(one) for key in rows if key.section == section for one in (key, *entries(key))]
    return "\n".join(lines)


def _row(key: Key) -> str:
    short = key.name.removeprefix(f"{key.section}.")
    cells = [f"`{short}`", takes(key.info), default(key), _changed(key.name), _meaning(key)]
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(cell: str) -> str:
    """Return *cell* with what Markdown would read as its own; code spans are left as they are."""
    parts = cell.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace("*", r"\*").replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def _changed(key: str) -> str:
    stacks = changes(key)
    return "all" if stacks == STACKS else ", ".join(stacks) or "-"


def _meaning(key: Key) -> str:
    said = " ".join((key.info.description or MEANINGS[key.name]).split())
    own = "" if _for_whom(key.section) else _for_whom(key.name)
    return f"{said}{'' if said.endswith('.') else '.'}{own}"


def _entry(annotation: Any) -> type[BaseModel] | None:
    """Return the section that each entry of a list is, where *annotation* is one of such."""
    inner = get_args(annotation) if get_origin(annotation) is tuple else ()
    return _section(inner[0]) if inner else None


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section that *annotation* is, or may be beside None."""
    options = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
