"""YAML text to plain data with the line of every key; refuses values that YAML silently changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stacks.checking.problems import Place, Problem, printable, spelled

MOST_VALUES = 20_000
"""An environment file has some hundred values; aliases can make a short text endless."""

_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}
_MERGE = "tag:yaml.org,2002:merge"


@dataclass
class Tree:
    """One document: `value` is made of mappings with text keys, lists, text, numbers, booleans and None."""

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    """Line of each key or list item, from 1."""
    files: dict[Place, Path] = field(default_factory=dict)
    """Where the line of a key or list item is one of another file: one that this file extends."""
    spellings: dict[Place, str] = field(default_factory=dict)
    """Each scalar as it stands in the file, where it stands without quotes."""
    problems: list[Problem] = field(default_factory=list)
    refused: set[Place] = field(default_factory=set)
    """Where the problems are; the values there are None."""

    def says(self, place: Place) -> bool:
        """Whether *place*, which consists of keys alone, has a value."""
        found = self.value
        for key in place:
            found = found.get(key) if isinstance(found, dict) else None
        return found is not None


def parse(text: str, kind: type[Reader] | None = None) -> Tree:
    """Parse *text* as *kind* reads it; every problem is in the tree, and nothing is raised for any text."""
    reader = kind or Reader
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        tree = Tree()
        if node is not None:
            tree.value = reader(tree, loader).read(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _refused(line, f"the character U+{error.character:04X} is not allowed in YAML; remove it")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(str(part) for part in (error.context, error.problem) if part)
        if error.problem == "mapping values are not allowed here":
            reason += "; a text with a colon before a space or at its end needs quotes"
        return _refused(mark.line + 1 if mark else None, f"not YAML: {reason}")
    except _TooManyValuesError:
        return _refused(None, f"more than {reader.most} values, aliases counted each time; write it shorter")
    except RecursionError:
        return _refused(None, f"not {reader.what}: nested too deeply")
    except (ValueError, OverflowError, yaml.YAMLError):
        # PyYAML raises Python's own errors about numbers in escapes and directives, without a place.
        return _refused(None, "not YAML: a character escape or a %YAML line with a number out of range")
    return tree


def _refused(line: int | None, message: str) -> Tree:
    return Tree(problems=[Problem(line, "", message)])


class _TooManyValuesError(Exception):
    """The document is too large, or endless."""


class Reader:
    """Walks the nodes of one document into its tree."""

    what = "an environment file"
    most = MOST_VALUES

    def __init__(self, tree: Tree, loader: yaml.SafeLoader) -> None:
        self._tree = tree
        self._loader = loader
        self._open: list[yaml.Node] = []
        self._count = 0

    def read(self, node: yaml.Node, path: Place) -> Any:
        """Return the value of *node*; its lines and problems go to the tree under *path*."""
        self._count += 1
        self._tree.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is parent for parent in self._open):
            self._problem(node, path, "an alias may not contain itself")
            return None
        if self._count > self.most:
            raise _TooManyValuesError
        self._open.append(node)
        try:
            return self._dispatch(node, path)
        finally:
            self._open.pop()

    def _dispatch(self, node: yaml.Node, path: Place) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != f"tag:yaml.org,2002:{kind}":
            self._problem(node, path, f"the tag {printable(node.tag)} is not understood; leave it out")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: Place) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE:
                for part in self._merged(value_node, path):
                    merged = part | merged
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in own:
                self._problem(key_node, here, f"stands twice, {_remedy(own[key], value_node, first[key])}")
                continue
            self._tree.lines[here] = first[key] = line
            own[key] = self.read(value_node, here)
        return merged | own

    def _merged(self, node: yaml.Node, path: Place) -> Iterator[dict[str, Any]]:
        """Yield the mappings that ``<<:`` names."""
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            value = self.read(part, path)
            if isinstance(value, dict):
                yield value
            else:
                self._problem(part, path, "behind << stands a mapping, or a list of mappings")

    def _key(self, node: yaml.Node, path: Place) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._problem(node, path, "a key is one word, not a list or a mapping")
        elif node.tag != "tag:yaml.org,2002:str":
            self._problem(node, path, f"YAML reads the key {_quoted(node.value)} as no text; quote it")
        elif not _is_text(node.value):
            self._problem(node, path, "a key that is not valid Unicode text")
        else:
            return str(node.value)
        return None

    def _scalar(self, node: yaml.ScalarNode, path: Place) -> Any:
        if node.tag not in _PLAIN_TAGS:
            what = "a date" if node.tag.endswith(":timestamp") else f"a value of type {printable(node.tag)}"
            self._problem(
                node, path, f"YAML reads this as {what}; if it is text, quote it: {_quoted(node.value)}"
            )
            return None
        try:
            value = self._loader.construct_object(node)
        except (ValueError, LookupError, TypeError, yaml.YAMLError):
            message = f"not the number that it seems to be; if it is text, quote it: {_quoted(node.value)}"
            self._problem(node, path, message)
            return None
        if node.style is None:
            self._tree.spellings[path] = node.value
        problem = _unfaithful(node.value, value)
        if problem:
            self._problem(node, path, problem)
        return None if problem else value

    def _problem(self, node: yaml.Node, path: Place, message: str) -> None:
        self._tree.problems.append(Problem(node.start_mark.line + 1, spelled(path), message))
        self._tree.refused.add(path)


def _remedy(value: object, again: yaml.Node, line: int) -> str:
    """Return what to do about a key of *value*, from *line* on, that is repeated at *again*."""
    if isinstance(value, dict) and isinstance(again, yaml.MappingNode):
        return f"first on line {line}; merge it: move what is below it to what is below line {line}"
    return f"first on line {line}; keep one of them"


def _is_text(text: str) -> bool:
    """Whether *text* can be written as UTF-8: YAML's escapes can make lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unfaithful(written: str, value: object) -> str | None:
    """Return why *value* differs from what a reader of *written* expects, or None."""
    if isinstance(value, str) and not _is_text(value):
        return "text that is not valid Unicode"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{written} is not a number that can be used here"
    if isinstance(value, int) and not isinstance(value, bool) and written.lstrip("+") != str(value):
        return (
            f"YAML reads {printable(written)} as {value}; write {value}, or {_quoted(written)} if it is text"
        )
    return None


def _quoted(text: str) -> str:
    return f'"{printable(text)}"'
