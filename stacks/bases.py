"""
Distinguishes environment files in a folder from base files, which others extend and which name no
environment.

Fast, for completion and lists: it does not load settings, and an invalid file counts as an environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

EXTENDS: Final = "extends"
MOST_FILES: Final = 10
"""Most files below an environment file; more are a mistake or an attack."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: ten times as fast."""


class Named(NamedTuple):
    """What a file says about its identity."""

    environment: str | None
    """None: a base, or a file that cannot be read."""
    system: str | None


def environment_files(folder: Path) -> list[Path]:
    """Return the environment files in *folder* by name; none where there is no such folder."""
    return [path for path in sorted(folder.glob("*.yaml")) if not is_base(path)]


def is_base(path: Path) -> bool:
    """Whether the file *path* names no environment, nor does one that it extends."""
    found = _said(path)
    return found is not None and "environment" not in found


def named(path: Path) -> Named:
    """Return environment and system of the file *path*, as far as they can be read."""
    found = _said(path) or {}
    environment, system = found.get("environment"), found.get("system")
    return Named(
        environment if isinstance(environment, str) else None, system if isinstance(system, str) else None
    )


def _said(path: Path) -> dict[str, Any] | None:
    """Return the keys of the file and of all that it extends; None if one cannot be read."""
    result: dict[str, Any] = {}
    for _ in range(MOST_FILES + 1):
        if not path.is_file():
            return None
        try:
            found = yaml.load(path.read_text(encoding="utf-8-sig"), LOADER)  # noqa: S506 - it is safe
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            return None
        if not isinstance(found, dict):
            return None
        result = {**found, **{key: value for key, value in result.items() if value is not None}}
        below = found.get(EXTENDS)
        if not isinstance(below, str):
            return result
        path = path.parent / below
    return None
