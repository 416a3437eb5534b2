"""
Azure Pipelines' files as the server sees them: templates included, compile-time expressions gone.

A small expander of our own: conditions, loops and template references in the forms that Azure's documentation
gives ("Template usage", "Expressions"). What it does not know, it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.places import ROOT

FOLDER = ROOT / "pipelines" / "azure-devops"
ROOTS = sorted(path.name for path in FOLDER.glob("*.yml"))
TEMPLATES = sorted(path.name for path in (FOLDER / "templates").glob("*.yml"))
KINDS = ("steps", "jobs", "stages", "variables")
"""What a template can be a list of."""

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""All scalars stay text, as Azure's schema expects."""

Names = Callable[[tuple[str, ...]], object]
Functions = Mapping[str, Callable[..., object]]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[().,\[\]]))"
)
_WHOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}")


class Wrong(Exception):  # noqa: N818 - named after what the file is
    """A file that the server would refuse."""


def same(one: object, other: object) -> bool:
    """Whether two values are equal: the right one is converted to the left one's type; case is ignored."""
    if isinstance(one, bool):
        return one == (other if isinstance(other, bool) else str(other).lower() == "true")
    return _text(one).lower() == _text(other).lower()


def _text(value: object) -> str:
    return "" if value is None else str(value)


FUNCTIONS: Functions = {
    "eq": same,
    "ne": lambda one, other: not same(one, other),
    "and": lambda *all_of: all(all_of),
    "or": lambda *any_of: any(any_of),
    "not": lambda one: not one,
    "in": lambda one, *others: any(same(one, other) for other in others),
    "length": len,
    "notIn": lambda one, *others: not any(same(one, other) for other in others),
}


@dataclass
class _Reader:
    """Reads one expression, from left to right."""

    text: str
    names: Names
    functions: Functions
    tokens: list[tuple[str, str]] = field(default_factory=list)

    def value(self) -> object:
        rest = self.text.strip()
        while rest:
            found = _TOKEN.match(rest)
            if found is None or found.lastgroup is None:
                raise Wrong(f"{self.text!r} is not understood at {rest!r}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            rest = rest[found.end() :].strip()
        answer = self._one()
        if self.tokens:
            raise Wrong(f"{self.text!r}: {self.tokens[0][1]!r} is too much")
        return answer

    def _next(self, sign: str | None = None) -> tuple[str, str]:
        if not self.tokens or (sign and self.tokens[0][1] != sign):
            raise Wrong(f"{self.text!r}: there should be {sign or 'more'}")
        return self.tokens.pop(0)

    def _ahead(self, sign: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == ("sign", sign)

    def _one(self) -> object:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind != "name":
            raise Wrong(f"{self.text!r}: {text!r} is out of place")
        if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        return self._call(text) if self._ahead("(") else self._path(text)

    def _call(self, name: str) -> object:
        self._next("(")
        arguments: list[object] = []
        while not self._ahead(")"):
            arguments.append(self._one())
            if not self._ahead(")"):
                self._next(",")
        self._next(")")
        if name not in self.functions:
            raise Wrong(f"{self.text!r}: there is no function {name}")
        return self.functions[name](*arguments)

    def _path(self, name: str) -> object:
        path = [name]
        while self._ahead(".") or self._ahead("["):
            if self._next()[1] == ".":
                path.append(self._next()[1])
            else:
                path.append(self._next()[1][1:-1])
                self._next("]")
        return self.names(tuple(path))


def evaluate(text: str, names: Names, functions: Functions = FUNCTIONS) -> object:
    """Return the value of an expression; raises Wrong."""
    return _Reader(text, names, functions).value()


Scope = Mapping[str, Any]
"""The names at one place: parameters, variables, and those of `each`."""


def _named(scope: Scope) -> Names:
    def look(path: tuple[str, ...]) -> object:
        value: Any = scope
        for part in path:
            if not isinstance(value, Mapping) or part not in value:
                raise Wrong(f"there is no {'.'.join(path)}")
            value = value[part]
        return value

    return look


def typed(declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return *given* in the types of *declared*, with its defaults; raises Wrong."""
    if unknown := given.keys() - {one["name"] for one in declared}:
        raise Wrong(f"{where} has no parameter {', '.join(sorted(unknown))}")
    found: dict[str, Any] = {}
    for one in declared:
        if "type" not in one:
            raise Wrong(f"{where}: the parameter {one['name']} has no type")
        if one["name"] not in given and "default" not in one:
            raise Wrong(f"{where}: the parameter {one['name']} is missing")
        value = given.get(one["name"], one.get("default"))
        found[one["name"]] = _as(one["type"], value, f"{where}: {one['name']}")
        if "values" in one and found[one["name"]] not in one["values"]:
            raise Wrong(f"{where}: {one['name']} is {value!r}, and not one of {', '.join(one['values'])}")
    return found


def _as(kind: str, value: Any, where: str) -> Any:
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return value
    if kind == "object" and not isinstance(value, bool):
        return value
    if kind == "stepList" and isinstance(value, list):
        return value
    raise Wrong(f"{where}: {value!r} is no {kind}")


@dataclass
class Expander:
    """Expands the pipelines of one folder."""

    folder: Path = FOLDER
    variables: dict[str, str] = field(default_factory=dict)
    """Those with a value in the files: known at compile time."""
    repositories: Mapping[str, Path] = field(default_factory=dict)
    """Name of another repository -> its folder; a pipeline gives it an alias (`resources.repositories`)."""
    aliases: dict[str, Path] = field(default_factory=dict)

    def pipeline(self, name: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the pipeline *name* as it runs with the parameters *given*; raises Wrong."""
        path = self.folder / name
        whole = _load(path)
        scope = {"parameters": typed(whole.pop("parameters", []), given or {}, name)}
        for one in (whole.get("resources") or {}).get("repositories", []):
            if one["type"] != "git" or not one["ref"].startswith("refs/tags/"):
                raise Wrong(f"{name}: {one['repository']} is no tag of a repository")
            self.aliases[one["repository"]] = self.repositories[one["name"]]
        listed = self._list(whole.pop("variables", []), scope, path, "variables")
        self.variables = {one["name"]: one["value"] for one in listed if "value" in one}
        scope["variables"] = self.variables
        extended = whole.pop("extends", None)
        expanded: dict[str, Any] = self._dict(whole, scope, path)
        if extended:
            expanded["stages"] = self._template(extended, scope, path, "stages")
        return {**expanded, "variables": listed} if listed else expanded

    def _node(self, node: Any, scope: Scope, path: Path, key: str = "") -> Any:
        if isinstance(node, dict):
            return self._dict(node, scope, path)
        if isinstance(node, list):
            return self._list(node, scope, path, key)
        return _substituted(node, scope, path) if isinstance(node, str) else node

    def _dict(self, node: Mapping[str, Any], scope: Scope, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value, inner in self._chosen(node.items(), scope, path):
            if key is None:
                made |= self._dict(value or {}, inner, path)
            else:
                made[_substituted(key, inner, path)] = self._node(value, inner, path, key)
        return made

    def _list(self, node: Sequence[Any], scope: Scope, path: Path, kind: str) -> list[Any]:
        made: list[Any] = []
        for item in node:
            [(key, value)] = item.items() if isinstance(item, dict) and len(item) == 1 else [("", None)]
            if key.startswith("${{") and not isinstance(value, dict):
                made.append(item)  # decided below, with the previous ones
            else:
                made.append({"": item})
        pairs = [(key, value) for item in made for key, value in item.items()]
        done: list[Any] = []
        for key, value, inner in self._chosen(pairs, scope, path):
            if key is None:
                done += self._list(value or [], inner, path, kind)
            elif kind in KINDS and isinstance(value, dict) and "template" in value:
                done += self._template(value, inner, path, kind)
            else:
                done.append(self._node(value, inner, path))
        return done

    def _chosen(self, pairs: Any, scope: Scope, path: Path) -> Iterator[tuple[str | None, Any, Scope]]:
        """Yield the remaining keys and values: no key if the value replaces its parent."""
        taken: bool | None = None
        for key, value in pairs:
            found = re.fullmatch(r"\$\{\{\s*(if|elseif|else|each)\b\s*(.*?)\s*\}\}", key)
            if found is None:
                taken = None
                yield key, value, scope
                continue
            word, rest = found.groups()
            if word == "each":
                name, _, many = rest.partition(" in ")
                each = self._value(many, scope, path)
                if isinstance(each, Mapping):
                    each = [{"key": one, "value": inside} for one, inside in each.items()]
                for one in each:
                    yield None, value, {**scope, name.strip(): one}
                continue
            if word != "if" and taken is None:
                raise Wrong(f"{path.name}: {word} without if")
            before = bool(taken) if word != "if" else False
            now = not before and (word == "else" or bool(self._value(rest, scope, path)))
            taken = before or now
            if now:
                yield None, value, scope

    def _value(self, text: str, scope: Scope, path: Path) -> Any:
        return _expression(text, scope, path)

    def _template(self, item: Mapping[str, Any], scope: Scope, path: Path, kind: str) -> list[Any]:
        if unknown := item.keys() - {"template", "parameters"}:
            raise Wrong(f"{path.name}: a template reference has no {', '.join(unknown)}")
        place = self._place(_substituted(item["template"], scope, path), path)
        if not place.is_file():
            raise Wrong(f"{path.name}: there is no {item['template']}")
        template = _load(place)
        given = self._dict(item.get("parameters") or {}, scope, path)
        own = {"parameters": typed(template.pop("parameters", []), given, place.name)}
        if list(template) != [kind]:
            raise Wrong(f"{path.name}: {place.name} holds {', '.join(template)}, not {kind}")
        inner = own | ({"variables": self.variables} if kind != "variables" else {})
        return self._list(template[kind], inner, place, kind)

    def _place(self, said: str, path: Path) -> Path:
        """Return the file of a template: relative to *path*, or to the root of an alias after ``@``."""
        name, _, alias = said.partition("@")
        if not alias:
            return path.parent / name
        if alias not in self.aliases:
            raise Wrong(f"{path.name}: no repository has the alias {alias}")
        return self.aliases[alias] / name


def _load(path: Path) -> dict[str, Any]:
    whole = yaml.load(path.read_text(), LOADER)  # noqa: S506 - it makes nothing but text
    if not isinstance(whole, dict):
        raise Wrong(f"{path.name} is no mapping")
    return whole


def _expression(text: str, scope: Scope, path: Path) -> Any:
    try:
        return evaluate(text, _named(scope))
    except Wrong as error:
        raise Wrong(f"{path.name}: {error}") from error


def _substituted(text: str, scope: Scope, path: Path) -> Any:
    whole = _WHOLE.fullmatch(text.strip())
    if whole:
        return _expression(whole[1], scope, path)
    return _WHOLE.sub(lambda found: _text(_expression(found[1], scope, path)), text)


def written(node: Any) -> Any:
    """Return *node* as read from a file: all scalars are text."""
    if isinstance(node, dict):
        return {key: written(value) for key, value in node.items()}
    if isinstance(node, list):
        return [written(value) for value in node]
    return str(node).lower() if isinstance(node, bool) else _text(node)


def jobs_of(pipeline: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield every stage with each of its jobs."""
    for stage in pipeline["stages"]:
        for job in stage["jobs"]:
            yield stage, job


def steps_of(job: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the steps of a job, or of a deployment job's `runOnce`."""
    found: Sequence[Mapping[str, Any]] = (
        job["strategy"]["runOnce"]["deploy"]["steps"] if "deployment" in job else job["steps"]
    )
    return found


def name_of(job: Mapping[str, Any]) -> str:
    """Return the name of a job of either kind."""
    return str(job.get("job") or job["deployment"])


def needed(item: Mapping[str, Any], before: Sequence[str], *, chained: bool) -> list[str]:
    """Return the dependencies of a stage or job; the default is the previous stage, and none for a job."""
    said = item.get("dependsOn")
    if said is None:
        return list(before[-1:]) if chained else []
    return [said] if isinstance(said, str) else list(said)
