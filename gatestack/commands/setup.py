"""`setup`: asks for what an environment needs and writes a checked file. It speaks to no AWS account."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import get_args

import click

from gatestack.catalogue import placeholders
from gatestack.environment import FOLDER, Environment, SettingsRefused, resolve
from gatestack.injected import keys_taken
from gatestack.options import Options
from gatestack.review import NotConfirmed
from gatestack.setup import draft
from gatestack.setup.draft import Answers
from gatestack.setup.questions import QUESTIONS, Question, filed, implied_access
from stacks.application import PLACEHOLDER, Written
from stacks.environment import EnvironmentFileError, load, parse_settings
from stacks.settings import System

UNPREFIXED = get_args(System)[0]
"""The system whose files are named after their environment alone."""


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
    answers = _answers(said, Asker(asks=asks, takes_defaults=yes, force=force))
    path, text = _path(answers), draft.text(filed(answers))
    click.echo(text, err=True)
    _check(text, path)
    if asks and not click.confirm(f"Write this to {path}?", default=True, err=True):
        raise NotConfirmed("nothing was written")
    _write(path, text, makes_folder=asks or yes, force=force)
    environment = resolve(str(path))
    environment.warn()
    click.echo(path)
    click.echo(_next(path.stem, environment))
    return 0


class Asker:
    """Where answers come from: an option, the terminal, the defaults."""

    def __init__(self, *, asks: bool, takes_defaults: bool, force: bool) -> None:
        self._asks = asks
        self.takes_defaults = takes_defaults
        self._force = force
        self.missing: list[str] = []
        """Options that have to be given."""

    def answer(self, question: Question, answers: Answers, given: str | None) -> Answers:
        """Return *answers* with one more; raises SettingsRefused where the option's value cannot be."""
        if given is not None:
            try:
                return self._checked(question, answers, given)
            except ValueError as error:
                raise SettingsRefused(f"{question.option}: {error}") from None
        default = question.default(answers)
        if self._asks:
            return self._prompted(question, answers, default)
        if default is None or not (self.takes_defaults or question.assumed):
            self.missing.append(question.option)
        if default is None:
            return answers
        try:
            return self._checked(question, answers, default)
        except ValueError as error:
            raise SettingsRefused(f"{question.option}: {error}") from None

    def _prompted(self, question: Question, answers: Answers, default: str | None) -> Answers:
        def checked(text: str) -> Answers:
            try:
                return self._checked(question, answers, text)
            except ValueError as error:
                raise click.BadParameter(str(error)) from None

        words = question.words + question.adds(answers)
        found: Answers = click.prompt(
            words, default=default, show_default=bool(default), value_proc=checked, err=True
        )
        return found

    def _checked(self, question: Question, answers: Answers, text: str) -> Answers:
        found = question.answered(answers, text)
        if question.name == "environment" and not self._force:
            _check_free(found)
        return found


def _answers(said: Mapping[str, str | None], asker: Asker) -> Answers:
    """Return the answer to every question; raises UsageError naming every option that is missing or idle."""
    answers: Answers = {}
    idle = []
    for question in QUESTIONS:
        if question.concerns(answers):
            answers = asker.answer(question, answers, said[question.name])
        elif said[question.name] is not None:
            idle.append(question.option)
    if asker.missing:
        hint = "these have no default" if asker.takes_defaults else "--yes takes the defaults"
        raise click.UsageError(f"stdin is not a terminal: give {', '.join(asker.missing)} ({hint})")
    if idle:
        raise click.UsageError(f"{', '.join(idle)}: does not apply with the other answers; leave it out")
    return answers


def _path(answers: Answers) -> Path:
    """Return where the file goes: two systems may both have a ``dev``."""
    system, environment = answers["system"], answers["environment"]
    return FOLDER / f"{environment if system == UNPREFIXED else f'{system}-{environment}'}.yaml"


def _check_free(answers: Answers) -> None:
    """Raise ValueError where the file is there, or where another file has the same environment."""
    path = _path(answers)
    if path.exists():
        raise ValueError(f"{path} exists already; choose another name, or --force to overwrite it")
    wanted = (answers["system"], answers["environment"])
    for other in sorted(FOLDER.glob("*.yaml")):
        try:
            found = load(other)
        except EnvironmentFileError:
            continue
        if (found.system, found.environment) == wanted:
            what = f"{other} has the environment {found.environment} of {found.system} already"
            raise ValueError(f"{what}; another name, or --force for a second file of it")


def _check(text: str, path: Path) -> None:
    """Refuse a file that could not be used, before it is written; raises SettingsRefused."""
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
    # written beside and renamed: whatever stops it, what is there stays whole
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


def _next(env: str, environment: Environment) -> str:
    """Return the commands that come next."""
    name = shlex.quote(env)
    steps = [
        ("preview", f"gatestack plan {name}"),
        ("deploy", f"make deploy-env ENV={name}"),
        *(("set a provider's key", f"gatestack secret set {name} {key}") for key in _keys(environment)),
        (
            "show the first access key",
            f"gatestack secret get {name} {environment.application.first_key} --reveal",
        ),
    ]
    width = max(len(command) for _, command in steps)
    return "\n".join(f"  {command.ljust(width)}  # {what}" for what, command in steps)


def _keys(environment: Environment) -> Iterator[str]:
    """Yield the values that tasks are given and that somebody has to put in."""
    for own in placeholders(environment.application):
        assert isinstance(own.value, Written)  # noqa: S101 - a placeholder stands in no other
        for key in keys_taken(environment, own) or ():
            if own.value.values[key] == PLACEHOLDER:
                yield key
