"""Warns about a file that is not named after its environment: another file may be for the same one."""

from __future__ import annotations

from pathlib import Path

from stacks.bases import environment_files, named
from stacks.settings import Settings


def is_named_after(path: Path, settings: Settings) -> bool:
    """Whether the file *path* is called as `setup` would call that of *settings*."""
    return path.stem in {settings.environment, settings.prefix, f"{settings.system}-{settings.environment}"}


def namesake(path: Path, settings: Settings) -> Path | None:
    """Return another file in the folder of *path* for the same environment, that of *settings*, or None."""
    if is_named_after(path, settings):
        return None
    others = (other for other in environment_files(path.parent) if other.resolve() != path.resolve())
    return next((other for other in others if _is_for(other, settings)), None)


def _is_for(path: Path, settings: Settings) -> bool:
    found = named(path)
    return (found.environment, found.system) == (settings.environment, settings.system)


def doubt(path: Path, settings: Settings) -> str | None:
    """Return what the user of the file *path* should know of its name; None where there is nothing."""
    if is_named_after(path, settings):
        return None
    name = settings.environment
    if other := namesake(path, settings):
        what = f"{path} says environment: {name}, and so does {other}: both are the same stacks"
        return f"{what}; for others write another name there"
    if path.stem.startswith(settings.system):
        return None
    return f"{path} is the environment {name}: names in AWS come from environment:, not from the file's name"
