"""
Finds the line to change for a finding: in the environment file if a key decides it, else in the template.

Pure: the contents of files are arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from stacks.checking.problems import Place
from stacks.checking.yaml_tree import Tree, parse
from stacks.extensions import Patch

Level = Literal["error", "warning", "note"]


class About(Protocol):
    """What the findings of cfn-lint and of a team's own rules have in common."""

    @property
    def stack(self) -> str:
        """Short name of the stack."""

    @property
    def logical_id(self) -> str | None:
        """Of the resource, where it is about one."""

    @property
    def path(self) -> str:
        """Where in the template: ``Resources/Database/Properties/EngineVersion``."""

    @property
    def rule(self) -> str:
        """Id of the rule."""

    @property
    def level(self) -> str:
        """error, warning or informational."""

    @property
    def message(self) -> str:
        """What the rule says."""

    @property
    def setting(self) -> str | None:
        """The keys of the environment file that decide it, separated by commas."""

    @property
    def source(self) -> str:
        """``extensions/extras.yaml:12``, if it is in a template of the team's own."""


@dataclass(frozen=True)
class Located:
    """One finding, and the file and line to change."""

    environment: str
    stack: str
    place: str
    """Where in the template: ``Resources/Database/Properties/EngineVersion``."""
    rule: str
    level: Level
    message: str
    setting: str | None
    file: str
    """As the command was given it; for a template that was not written, where `generate` writes it."""
    line: int | None
    """From 1; None where no line is known."""

    def __str__(self) -> str:
        """Return what is wrong, where, and the key to change, without file and line."""
        key = f" (change {self.setting})" if self.setting else ""
        return f"{self.rule} {self.stack}: {self.place}: {self.message}{key}"


@dataclass(frozen=True)
class Sources:
    """
    The files that an environment's findings may be in: its file and those that it extends, and its templates.
    """

    environment: str
    templates: Path
    """Folder of the templates, written or not."""
    texts: Mapping[str, str]
    """Short name of a stack -> its template."""
    file: Path | None = None
    """The environment's; None for a folder of templates."""
    tree: Tree | None = None
    """The content of the file."""
    patches: Sequence[Patch] = ()

    def locate(self, found: Sequence[About]) -> Iterator[Located]:
        """Yield *found* with their places."""
        lines: dict[str, Mapping[Place, int]] = {}
        for one in found:
            file, line = self._in_files(one) or (None, None)
            if file is None:
                if one.stack not in lines:
                    lines[one.stack] = parse(self.texts.get(one.stack, "")).lines
                file = self.templates / f"{one.stack}.json"
                line = _nearest(lines[one.stack], _place(one.path))
            yield Located(
                self.environment,
                one.stack,
                one.path,
                one.rule,
                _LEVELS.get(one.level, "note"),
                one.message,
                one.setting,
                file.as_posix(),
                line,
            )

    def _in_files(self, one: About) -> tuple[Path, int | None] | None:
        """Return file and line in a file written by a person; None if only the template is known."""
        if one.source:
            name, _, line = one.source.rpartition(":")
            return (Path(name), int(line)) if line.isdigit() else (Path(one.source), None)
        if self.file is None or self.tree is None:
            return None
        for number, patch in enumerate(self.patches):
            if (patch.stack, patch.resource) == (one.stack, one.logical_id):
                return self._said(("extend", "patches", number))
        keys = [tuple(key.split(".")) for key in (one.setting or "").split(", ") if key]
        if not keys:
            return None
        return self._said(next((key for key in keys if self.tree.says(key)), keys[0]))

    def _said(self, place: Place) -> tuple[Path, int | None]:
        """Return where *place*, or the nearest key above it, is; the first line if the file has none."""
        assert self.tree is not None  # noqa: S101 - asked before
        assert self.file is not None  # noqa: S101 - as above
        there = _known(self.tree.lines, place)
        if there is None:
            return self.file, 1
        return self.tree.files.get(there, self.file), self.tree.lines[there]


_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "informational": "note"}


def _place(path: str) -> Place:
    return tuple(int(part) if part.isdigit() else part for part in path.split("/"))


def _nearest(lines: Mapping[Place, int], place: Place) -> int | None:
    """Return the line of *place*, or of the nearest above it that the template has."""
    if len(place) == 1 and (words := str(place[0]).split())[:1] == ["line"]:
        return int(words[1])  # cfn-lint could not read it, and names no other place
    there = _known(lines, place)
    return None if there is None else lines[there]


def _known(lines: Mapping[Place, int], place: Place) -> Place | None:
    """Return *place*, or the nearest above it, that has a line."""
    above = (place[:length] for length in range(len(place), 0, -1))
    return next((one for one in above if one in lines), None)
