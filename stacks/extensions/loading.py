"""Reads and validates the files that an environment's `extend` names; reports problems with file and line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.checking.problems import Place, Problem, spelled
from stacks.extensions import Added, Extension, Patch, line_of
from stacks.extensions.document import MOST_BYTES, read
from stacks.extensions.finishing import exports, finished, given
from stacks.extensions.template import deeper, objections
from stacks.extensions.values import Objection, objections_to_file
from stacks.sections import extend as sections

if TYPE_CHECKING:
    from stacks.settings import Settings

Where = Callable[[Place], tuple[Path, int | None]]
"""Place in the environment -> the file that says it, and the line there."""
ONE_FOR_ALL = "write the path from this file on, so that it is the same on every machine"


def added(settings: Settings, where: Where) -> tuple[Added, list[Problem]]:
    """Return what the `extend` of *settings* adds, and everything that is wrong with it."""
    loading = _Loading(settings, where)
    stacks = tuple(loading.stacks())
    patches = tuple(_patch(one, number, where) for number, one in enumerate(settings.extend.patches))
    found = Added(stacks, patches, loading.policy())
    loading.check_outputs(found)
    return found, loading.problems


def _patch(said: sections.Patch, number: int, where: Where) -> Patch:
    file, line = where(("extend", "patches", number))
    value = said.set if said.append is None else said.append
    return Patch(
        said.stack,
        said.resource,
        said.path,
        "remove" if said.remove else "set" if said.append is None else "append",
        value,
        said.reason,
        said.accept_risk,
        _shown(file, line),
    )


def _shown(file: Path, line: int | None) -> str:
    """Return folder, name and line of *file*: the same on every machine, since the build contains it."""
    name = "/".join(file.resolve().parts[-2:])
    return f"{name}:{line}" if line else name


class _Loading:
    def __init__(self, settings: Settings, where: Where) -> None:
        self._settings = settings
        self._where = where
        self._outputs: dict[str, Mapping[str, str]] = {}
        self.problems: list[Problem] = []

    def stacks(self) -> Iterator[Extension]:
        """Yield every stack whose template can be used."""
        for number, entry in enumerate(self._settings.extend.stacks):
            place: Place = ("extend", "stacks", number)
            said_in, _ = self._where((*place, "template"))
            path = Path(os.path.normpath(said_in.parent / entry.template))
            text, problem = _text(path, entry.template)
            if problem:
                self._in_environment((*place, "template"), f"{path}: {problem}")
            elif one := self._extension(text, path, entry):
                self._finish(one, place)
                yield one

    def policy(self) -> Path | None:
        """Return the folder of the team's rules, which has to exist."""
        said = self._settings.deployment.policy
        if said is None:
            return None
        place: Place = ("deployment", "policy")
        said_in, _ = self._where(place)
        path = Path(os.path.normpath(said_in.parent / said))
        if Path(said).is_absolute():
            self._in_environment(place, ONE_FOR_ALL)
        elif not path.is_dir():
            what = "no folder" if path.exists() else "no such folder"
            self._in_environment(place, f"{path}: {what}; the path begins at the folder of this file")
        return path

    def check_outputs(self, found: Added) -> None:
        """Check that the outputs that tasks get, or may access, exist and are exported."""
        for place, said in _named(self._settings):
            stack, _, output = said.partition(".")
            one = next((one for one in found.stacks if one.name == stack), None)
            if one is None or output in self._outputs[stack]:
                continue
            have = one.template.get("Outputs", {})
            if output not in have:
                names = ", ".join(have) or "none"
                self._in_environment(place, f"{one.file} has no output {output}; it has {names}")
                continue
            export = 'Export: {Name: !Sub "${Prefix}-' + f'{stack}-{output}"}}'
            what = (
                f"{one.where(('Outputs', output))}: {output} is exported to nobody; write below it {export}"
            )
            self._in_environment(place, what)

    def _extension(self, text: str, path: Path, entry: sections.OwnStack) -> Extension | None:
        tree = read(text)
        self.problems += [Problem(one.line, one.key, one.message, path) for one in tree.problems]
        if tree.problems:
            return None
        if found := list(objections(tree.value)) or list(deeper(tree.value)):
            self._in_template(found, path, tree.lines)
            return None
        return Extension(
            entry.name,
            str(path),
            tree.value,
            tree.lines,
            entry.parameters,
            entry.tags,
            entry.timeout_minutes,
        )

    def _finish(self, one: Extension, place: Place) -> None:
        declared = one.template.get("Parameters", {})
        for below, text in objections_to_file(declared, one.parameters, given(self._settings)):
            self._in_environment((*place, "parameters", *below) if below else place, text)
        template, unresolved = finished(self._settings, one)
        self._in_template(list(unresolved), Path(one.file), one.lines)
        self._outputs[one.name] = exports(template)

    def _in_template(self, found: list[Objection], path: Path, lines: Mapping[Place, int]) -> None:
        self.problems += [Problem(line_of(lines, place), spelled(place), text, path) for place, text in found]

    def _in_environment(self, place: Place, message: str) -> None:
        file, line = self._where(place)
        self.problems.append(Problem(line, spelled(place), message, file))


def _named(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Yield each place that names an output of an own stack, and the output: ``extras.BucketName``."""
    for variable, said in settings.service.environment_from.items():
        yield ("service", "environment_from", variable), said
    for number, one in enumerate(settings.service.task_policy):
        for index, said in one.own_outputs:
            yield ("service", "task_policy", number, "resources", index), said
    for name, source in settings.service.secrets_from.items():
        if source.own_output:
            yield ("service", "secrets_from", name), source.own_output


def _text(path: Path, said: str) -> tuple[str, str]:
    """Return the text of the file *path*, or what is wrong with it."""
    if Path(said).is_absolute():
        return "", ONE_FOR_ALL
    try:
        if not path.is_file():
            return "", "no such file" if not path.exists() else "no regular file"
        if path.stat().st_size > MOST_BYTES:
            return "", f"longer than {MOST_BYTES} bytes, and CloudFormation takes no more: split it"
        return path.read_bytes().decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return "", "not UTF-8 text; save the file as UTF-8"
    except OSError as error:
        return "", f"cannot be read: {error.strerror}"
