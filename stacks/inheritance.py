"""
Merges an environment file with those that it extends, and records the place of each value.

It knows one key of the file, `extends:`, and the meaning of no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, TypeVar

from stacks.bases import EXTENDS, MOST_FILES, environment_files
from stacks.checking.problems import Place, Problem
from stacks.checking.yaml_tree import Tree, parse
from stacks.near import near

Fact = TypeVar("Fact")

ABSOLUTE: Final = (
    "an absolute path is another place on each machine; write it as seen from the folder of this file"
)


class UnreadableError(ValueError):
    """There is no text to read."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def text_of(path: Path, there: Callable[[Path], list[Path]] = environment_files) -> str:
    """
    Return what stands in the file *path*; *there*: which files of its folder to name where it is missing.

    Raises:
        UnreadableError: there is no such file, or it is no text.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(_unreadable(path, error, there)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError("not UTF-8 text; save the file as UTF-8", line) from error


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge *above* into *below*, mapping by mapping; a key without a value keeps the one below."""
    result: dict[str, Any] = {}
    for key, value in below.items():
        over = above.get(key)
        if isinstance(value, Mapping) and isinstance(over, Mapping):
            result[key] = merged(value, over)
        else:
            result[key] = deepcopy(value if over is None else over)
    return result | {key: deepcopy(value) for key, value in above.items() if key not in below}


def inherited(tree: Tree, path: Path) -> Tree:
    """
    Return *tree*, which is the file *path*, over all that it extends.

    Where one of those files cannot be used, the result has no value, and says why.
    """
    trees, files = [tree], [path]
    while isinstance(trees[-1].value, dict) and (place := (EXTENDS,)) in trees[-1].lines:
        last, file = trees[-1], files[-1]
        said = last.value.pop(EXTENDS, None)
        if place in last.refused:
            return _unusable(trees)
        if said is None:
            break
        try:
            below, text = _extended(said, files)
        except UnreadableError as error:
            here = None if file == path else file
            return _unusable(trees, Problem(last.lines[place], EXTENDS, str(error), here))
        files.append(below)
        trees.append(_of_file(parse(text), below))
        if trees[-1].problems and not isinstance(trees[-1].value, dict):
            return _unusable(trees)
        if not isinstance(trees[-1].value, dict | None):
            here = None if file == path else file
            message = f"{below} is no environment file"
            return _unusable(trees, Problem(last.lines[place], EXTENDS, message, here))
    result = trees.pop()
    while trees:
        result = _over(trees.pop(), result)
    return result


def _unusable(trees: list[Tree], *more: Problem) -> Tree:
    return Tree(problems=[problem for tree in trees for problem in tree.problems] + [*more])


def _extended(said: object, files: list[Path]) -> tuple[Path, str]:
    """Return place and text of the file that the last of *files* extends; raises UnreadableError."""
    if not isinstance(said, str) or not said or not said.isprintable():
        raise UnreadableError(f"expected the path of one file, like {EXTENDS}: base.yaml")
    if Path(said).is_absolute():
        raise UnreadableError(ABSOLUTE)
    if len(files) > MOST_FILES:
        raise UnreadableError(f"more than {MOST_FILES} files below {files[0]}; put some of them together")
    path = files[-1].parent / said
    if any(os.path.realpath(path) == os.path.realpath(other) for other in files):
        raise UnreadableError(f"{path} would be below itself; take the {EXTENDS}: out of one of the files")
    if path.exists() and not path.is_file():
        raise UnreadableError(f"{path} is no file")
    try:
        return path, text_of(path, lambda folder: _others(folder, files[-1]))
    except UnreadableError as error:
        line = f":{error.line}" if error.line else ""
        raise UnreadableError(f"{path}{line}: {error}") from error


def _others(folder: Path, file: Path) -> list[Path]:
    return [other for other in sorted(folder.glob("*.yaml")) if other.name != file.name]


def _of_file(tree: Tree, file: Path) -> Tree:
    """Return *tree* with *file* as the place of all that is in it."""
    tree.files = dict.fromkeys(tree.lines, file)
    tree.problems = [problem._replace(file=file) for problem in tree.problems]
    tree.value = {} if tree.value is None and not tree.problems else tree.value
    return tree


def _over(above: Tree, below: Tree) -> Tree:
    """Return *above* merged over *below*; what neither has is left out."""
    met = dict(_met(above.value, below.value))
    left = {place for place, is_empty in met.items() if is_empty} - above.refused
    replaced = met.keys() - left
    upper = {place: line for place, line in above.lines.items() if not _under(place, left)}
    lower = {place: line for place, line in below.lines.items() if not _under(place, replaced)}
    return Tree(
        value=merged(below.value, above.value),
        lines=lower | upper,
        files={
            **{place: below.files[place] for place in lower.keys() - upper.keys() if place in below.files},
            **{place: above.files[place] for place in upper if place in above.files},
        },
        spellings=_of(below.spellings, lower) | _of(above.spellings, upper),
        problems=above.problems + below.problems,
        refused=below.refused & lower.keys() | above.refused,
    )


def _of(facts: Mapping[Place, Fact], places: Mapping[Place, int]) -> dict[Place, Fact]:
    return {place: fact for place, fact in facts.items() if place in places}


def _met(
    above: Mapping[str, Any], below: Mapping[str, Any], place: Place = ()
) -> Iterator[tuple[Place, bool]]:
    """Yield each place where a value stands over one below it, and whether it is empty."""
    for key in above.keys() & below.keys():
        here = (*place, key)
        if isinstance(above[key], dict) and isinstance(below[key], dict):
            yield from _met(above[key], below[key], here)
        else:
            yield here, above[key] is None


def _under(place: Place, places: set[Place]) -> bool:
    return any(place[:length] in places for length in range(1, len(place) + 1))


def _unreadable(path: Path, error: OSError, there: Callable[[Path], list[Path]]) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}"
    found = [other.name for other in there(path.parent)]
    if not found:
        return f"no such file, and {path.parent} has no environment files"
    return f"no such file; {path.parent} has {', '.join(found)}"


def meant(path: Path) -> str:
    """Return which file of its folder *path* may mean, in words; empty where none is near."""
    names = {other.stem: other.name for other in environment_files(path.parent)}
    found = near(path.stem, names)
    return f"; did you mean {names[found]}?" if found else ""
