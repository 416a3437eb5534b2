"""
Reads files that somebody else may have written, and writes files that nobody else may read.

A foreign file must be no link, device or pipe, stay within a size limit, and match its schema. Messages name
the file and the problem; they contain no value from it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

T = TypeVar("T")

MOST_LEVELS = 64
"""Nesting depth of lists and objects in one JSON text; our own files stay far below it."""
MOST_PROBLEMS = 3
"""Problems reported for one file; the rest is only counted."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
"""Whole texts, so that brackets in them do not count, and brackets. Takes one pass whatever the input."""


class Foreign(ValueError):  # noqa: N818 - it says what the file is
    """A file cannot be used as it is: the message says which file and what is wrong, never its content."""


def read_bytes(path: Path, limit: int) -> bytes:
    """
    Return the content of the regular file *path*, of *limit* bytes at most; never waits for a writer.

    Raises:
        Foreign: it is a link, no regular file, or too long.
        OSError: it does not exist, or may not be read.

    """
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Foreign(f"{path} is a symbolic link: put the file itself there") from None
        if error.errno == errno.ENXIO:
            raise Foreign(f"{path} is no regular file") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Foreign(f"{path} is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise Foreign(f"{path} is longer than {limit} bytes")
    return content


def decode(text: bytes, where: str) -> Any:
    """
    Return what the JSON *text* says; *where* is its name in messages.

    Raises:
        Foreign: no UTF-8, no JSON, a key twice, NaN or infinity, or more than `MOST_LEVELS` levels.

    """
    try:
        decoded = text.decode()
        _check_levels(decoded)
        return json.loads(decoded, object_pairs_hook=_object, parse_constant=_no_number)
    except Foreign as error:
        problem = str(error)
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte {error.start})"
    except json.JSONDecodeError as error:
        problem = f"no JSON: {error.msg}, line {error.lineno}"
    except ValueError:  # Python's own, about integers of more than 4300 digits
        problem = "a number is too long"
    raise Foreign(f"{where}: {problem}")  # outside the handler: those errors hold the whole text


def parse(kind: type[T], text: bytes, where: str) -> T:
    """
    Return the JSON *text* as the dataclass *kind*, whose fields may be dataclasses; no value is converted.

    The annotations are the schema, pydantic's `Field` in them its bounds. A ValueError of a class's own
    ``__post_init__`` is told as it is, so it must not repeat a value that may be secret.

    Raises:
        Foreign: as `decode` does, or a key is missing, unknown or of the wrong type, at any level; the first
            few are told by where they stand, ``stacks.0.tags``.

    """
    from pydantic import ValidationError  # noqa: PLC0415 - slow to load

    decode(text, where)
    try:
        found: list[T] = _listed(kind).validate_json(b"[" + text + b"]")  # type: ignore[arg-type]  # it is hashable
        return found[0]
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
    told = [_told(detail) for detail in details[:MOST_PROBLEMS]]
    more = [f"and {len(details) - MOST_PROBLEMS} more"] if len(details) > MOST_PROBLEMS else []
    raise Foreign(f"{where}: {'; '.join([*told, *more])}")


@cache
def _listed(kind: type[Any]) -> TypeAdapter[list[Any]]:
    """Return what reads a list of *kind*: a dataclass itself cannot be configured from outside."""
    from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 - slow to load

    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
    return TypeAdapter(list[kind], config=strict)  # type: ignore[valid-type]


def write_private(path: Path, content: bytes) -> None:
    """
    Write *content* to *path*, for this user alone (0600); folders that are missing are made (0700).

    Written to a temporary file and renamed: after any failure, either the old or the new file is complete.

    Raises:
        Foreign: a link, or anything but a regular file, is there.
        OSError: it cannot be written.

    """
    import tempfile  # noqa: PLC0415 - slow to load, and most commands write nothing

    _make_parents(path)
    if path.is_symlink():
        raise Foreign(f"{path} is a symbolic link: remove it, or name another file")
    if path.exists() and not path.is_file():
        raise Foreign(f"{path} is there and no regular file: remove it, or name another file")
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(unfinished).replace(path)
    except BaseException as error:
        Path(unfinished).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def private_folder(path: Path) -> None:
    """
    Create the folder *path* for this user only (0700), with its parents; an existing one keeps its mode.

    Raises:
        Foreign: a link, no folder, or another user's folder is there: who owns it decides what is in it.
        OSError: it cannot be made.

    """
    _make_parents(path)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise Foreign(f"{path} is a symbolic link: remove it")
    if not stat.S_ISDIR(found.st_mode):
        raise Foreign(f"{path} is no folder: remove it")
    if found.st_uid != os.geteuid():
        raise Foreign(f"{path} belongs to another user: remove it")


def _make_parents(path: Path) -> None:
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)


def _check_levels(text: str) -> None:
    level = 0
    for token in _TOKENS.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if level > MOST_LEVELS:
            raise Foreign(f"nested deeper than {MOST_LEVELS} levels")


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Foreign(f"the key {_shown(key)} stands there twice")
        found[key] = value
    return found


def _no_number(_: str) -> Any:
    raise Foreign("NaN and Infinity are no numbers")


def _told(detail: ErrorDetails) -> str:
    place = ".".join(_shown(part) for part in detail["loc"][1:])
    return f"{place}: {detail['msg']}" if place else detail["msg"]


def _shown(part: str | int) -> str:
    """Return a key in a form for one line; keys are untrusted, too."""
    text = str(part).encode("unicode_escape", "replace").decode("ascii")
    return f"{text[:40]}..." if len(text) > 40 else text
