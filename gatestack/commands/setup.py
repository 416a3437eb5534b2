"""`setup`: asks for the settings of an environment and writes a validated file. It makes no AWS calls."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import click

from gatestack import telling
from gatestack.environment import Environment, SettingsRefused, resolve
from gatestack.injected import keys_to_put_in
from gatestack.options import Options
from gatestack.review import NotConfirmed
from gatestack.setup import draft
from gatestack.setup.interview import BACK, Asker, Interview, place
from gatestack.setup.question import filed
from gatestack.setup.questions import QUESTIONS, implied_access
from stacks import schema
from stacks.environment import EnvironmentFileError, parse_settings

OWN_SCHEMA = Path("stacks") / schema.FILE.name
"""Seen from where the schema is made."""


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* an option for every question; --region is the global one."""
    for question in reversed(QUESTIONS):
        if question.name != "region":
            command = click.option(question.option, help=f"{question.words}.")(command)
    return command


@click.command()
@_options
@click.option("--yes", is_flag=True, help="Ask nothing: take the defaults for what is not given.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_obj
def setup(options: Options, /, *, yes: bool, force: bool, **given: str | None) -> int:
    """
    Ask a few questions, and write an environment file.

    An environment dev is environments/dev.yaml in the system litellm, environments/llm-proxy-dev.yaml in the
    system llm-proxy, and so on: ENV in the other commands is that name.

    Every question has an option, for example --region; without a terminal, answer by options.
    """
    said = {name.replace("_", "-"): value for name, value in given.items()} | {"region": options.region}
    said["access"] = said["access"] or implied_access(said)
    asks = not yes and sys.stdin.isatty()
    interview = Interview(said, Asker(asks=asks, takes_defaults=yes, force=force))
    path, text = _agreed(interview) if asks else _shown(interview)
    _check(text, path)
    _write(path, text, makes_folder=asks or yes, force=force)
    _write_schema(path)
    environment = resolve(str(path))
    environment.warn()
    click.echo(path)
    click.echo(_next(path.stem, environment))
    return 0


def _shown(interview: Interview) -> tuple[Path, str]:
    """Show the file from the answers, and return its place and text."""
    answers = interview.answers()
    path, text = place(answers), draft.text(filed(answers), _schema_of(place(answers)))
    click.echo(text, err=True)
    return path, text


def _agreed(interview: Interview) -> tuple[Path, str]:
    """Return place and text of the file that the user has confirmed; raises NotConfirmed."""
    click.echo(f"Enter takes what is in brackets; {BACK} goes back to the question before.", err=True)
    while True:
        path, text = _shown(interview)
        try:
            click.echo(
                f"about ${_monthly_usd(text, path):,.0f} a month; `gatestack cost` says what for", err=True
            )
        except EnvironmentFileError as error:
            click.echo(f"{error}\n{BACK} goes back to the answers", err=True)
        said = click.prompt(
            f"Write this to {path}?", default="y", type=click.Choice(["y", "n", BACK]), err=True
        )
        if said == "y":
            return path, text
        if said == "n":
            raise NotConfirmed("nothing was written")
        interview.back()


def _monthly_usd(text: str, path: Path) -> float:
    """Return the monthly cost of the environment of the file *text*, by the table of prices; see `cost`."""
    from gatestack.costing import templates_of  # noqa: PLC0415 - only who is asked is told
    from generator.cost.estimate import estimate  # noqa: PLC0415
    from generator.cost.prices import load  # noqa: PLC0415
    from generator.cost.usage import Usage  # noqa: PLC0415
    from generator.render import render  # noqa: PLC0415

    manifest = render(parse_settings(text, path))
    return estimate(templates_of(manifest), Usage.read(manifest.usage), load(manifest.region)).monthly_usd


def _check(text: str, path: Path) -> None:
    """Refuse an invalid file before it is written; raises SettingsRefused."""
    try:
        parse_settings(text, path)
    except EnvironmentFileError as error:
        raise SettingsRefused(f"{error}\nnothing was written") from None


def _write(path: Path, text: str, *, makes_folder: bool, force: bool) -> None:
    """Write the file; raises SettingsRefused where it must not or cannot be."""
    if not path.parent.is_dir() and not makes_folder:
        raise SettingsRefused(
            f"there is no folder {path.parent} here: go to the project's folder, or give --yes"
        )
    # written to a temporary file and renamed, so that an existing one stays complete
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        if not force:
            path.open("x", encoding="utf-8").close()
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            if not force:
                path.unlink()
            raise
    except OSError as error:
        raise SettingsRefused(f"{path} cannot be written: {error.strerror}") from error


def _schema_of(path: Path) -> str:
    """Return the schema's path for editors of the file *path*: beside it, but not in our own repository."""
    there = path.parent.parent / OWN_SCHEMA
    return f"../{OWN_SCHEMA}" if there.is_file() else draft.SCHEMA


def _write_schema(path: Path) -> None:
    """Write the schema that the file *path* names, where it does not exist yet."""
    beside = path.with_name(draft.SCHEMA)
    if _schema_of(path) != draft.SCHEMA or beside.exists():
        return
    try:
        beside.write_text(schema.FILE.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        telling.warning(f"{beside} cannot be written, so editors do not check {path}: {error.strerror}")


def _next(env: str, environment: Environment) -> str:
    """Return the next commands."""
    name = shlex.quote(env)
    steps = [
        ("preview", f"gatestack plan {name}"),
        ("deploy", f"gatestack deploy {name}"),
        *(
            ("set a provider's key", f"gatestack secret set {name} {key}")
            for key in keys_to_put_in(environment)
        ),
        (
            "show the first access key",
            f"gatestack secret get {name} {environment.application.first_key} --reveal",
        ),
    ]
    width = max(len(command) for _, command in steps)
    return "\n".join(f"  {command.ljust(width)}  # {what}" for what, command in steps)
