"""`init`: writes a repository for a team's environments, which needs only an installed gatestack."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import click

from gatestack.environment import SettingsRefused
from gatestack.options import Options
from gatestack.repository.contents import AGENTS, Repository
from stacks.settings import System

REGION = "us-east-1"
"""Where none is named."""
NEXT = ("gatestack lint", "gatestack deploy local --yes")
"""The next command: it needs only an installed gatestack."""
MOST_NAMED = 12
"""Paths in one message."""


class HalfWritten(click.ClickException):
    """Not all files could be written; the message says which were."""

    exit_code = 1


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--system",
    type=click.Choice(get_args(System)),
    default="litellm",
    show_default=True,
    help="What the environments deploy.",
)
@click.option(
    "--pipelines",
    type=click.Choice([*AGENTS, "none"]),
    default="azure",
    show_default=True,
    help="Pipelines for Azure DevOps or GitHub Actions.",
)
@click.pass_obj
def init(options: Options, folder: Path, system: str, pipelines: str) -> int:
    """
    Write a repository of your own into DIR (default: here): environments, an example extension, pipelines.

    It overwrites nothing: where one of its files exists, it lists them and writes none.
    """
    files = Repository(system, options.region or REGION, pipelines, version("gatestack")).files()
    if there := _in_the_way(folder, files):
        what = f"exists already: {_listed(there)}"
        raise SettingsRefused(f"{what}; nothing was written: move it away, or give another DIR")
    _write(folder, files)
    steps = NEXT if folder == Path() else (f"cd {shlex.quote(str(folder))}", *NEXT)
    click.echo(
        f"{len(files)} files are written to {folder.absolute()}; README.md says what each is for. Next:"
    )
    click.echo("\n".join(f"  {step}" for step in steps))
    return 0


def _in_the_way(folder: Path, files: Iterable[str]) -> list[str]:
    """Return the existing ones of *files*, and what is no folder where a file needs one; each once."""
    found = []
    for name in files:
        path = folder / name
        above = [one for one in reversed(path.parents) if os.path.lexists(one) and not one.is_dir()]
        if above or os.path.lexists(path):
            found.append(str(above[0] if above else path))
    return list(dict.fromkeys(found))


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all *files*; raises HalfWritten, saying which exist then, where one cannot be written."""
    written: list[str] = []
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _create(path, text)
        except OSError as error:
            what = f"{path} cannot be written: {error.strerror}"
            if not written:
                raise HalfWritten(f"{what}; no file was written") from error
            kept = f"{_listed(written)} {'are' if len(written) > 1 else 'is'} written"
            raise HalfWritten(f"{what}; {kept}: delete them, and run the command again") from error
        written.append(str(path))


def _create(path: Path, text: str) -> None:
    """Write *text* to a new file; after a failure, no part of it is left."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        try:
            file.write(text)
            file.flush()
            if text.startswith("#!"):
                path.chmod(path.stat().st_mode | 0o111)
        except OSError:
            path.unlink()
            raise
