"""`setup`: asks for what an environment needs and writes a checked file. It speaks to no AWS account."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from gatestack import draft
from gatestack.cli import Options
from gatestack.draft import Answers
from gatestack.environment import FOLDER, SettingsRefused, resolve
from gatestack.questions import QUESTIONS, Question, filed, implied_access
from gatestack.review import NotConfirmed

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""Provider -> the value that somebody has to put in."""


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* an option for every question; --region is the global one."""
    for question in reversed(QUESTIONS):
        if question.name != "region":
            command = click.option(question.option, help=f"{question.words}.")(command)
    return command


@click.command()
@click.option("--system", type=click.Choice(["litellm"]), default="litellm", help="What is deployed.")
@_options
@click.option("--yes", is_flag=True, help="Ask nothing: take the defaults for what is not given.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def setup(options: Options, /, system: str, *, yes: bool, force: bool, **given: str | None) -> int:
    """
    Ask for what an environment needs, and write environments/NAME.yaml.

    Every question has an option, --region among them; without a terminal all answers are options.
    """
    said = {name.replace("_", "-"): value for name, value in given.items()} | {"region": options.region}
    said["access"] = said["access"] or implied_access(said)
    asks = not yes and sys.stdin.isatty()
    answers = _answers(system, said, Asker(asks=asks, takes_defaults=yes, force=force))
    path, text = _path(answers), draft.text(filed(answers))
    click.echo(text, err=True)
    if asks and not click.confirm(f"Write this to {path}?", default=True, err=True):
        raise NotConfirmed("nothing was written")
    _write(path, text, makes_folder=asks or yes, force=force)
    resolve(str(path)).warn()
    click.echo(path)
    click.echo(_next(answers))
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
        if default is None or not self.takes_defaults:
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

        found: Answers = click.prompt(
            question.words, default=default, show_default=bool(default), value_proc=checked, err=True
        )
        return found

    def _checked(self, question: Question, answers: Answers, text: str) -> Answers:
        found = question.answered(answers, text)
        if question.name == "environment" and _path(found).exists() and not self._force:
            raise ValueError(f"{_path(found)} is there already; another name, or --force to write over it")
        return found


def _answers(system: str, said: Mapping[str, str | None], asker: Asker) -> Answers:
    """Return the answer to every question; raises UsageError naming every option that is missing or idle."""
    answers: Answers = {"system": system}
    idle = []
    for question in QUESTIONS:
        if question.asked(answers):
            answers = asker.answer(question, answers, said[question.name])
        elif said[question.name] is not None:
            idle.append(question.option)
    if asker.missing:
        hint = "these have no default" if asker.takes_defaults else "--yes takes the defaults"
        raise click.UsageError(f"nobody can be asked here: give {', '.join(asker.missing)} ({hint})")
    if idle:
        raise click.UsageError(f"{', '.join(idle)}: does not go with the other answers; leave it out")
    return answers


def _path(answers: Answers) -> Path:
    return FOLDER / f"{answers['environment']}.yaml"


def _write(path: Path, text: str, *, makes_folder: bool, force: bool) -> None:
    """Write the file; raises SettingsRefused where it must not or cannot be."""
    if not path.parent.is_dir() and not makes_folder:
        raise SettingsRefused(
            f"there is no folder {path.parent} here: go to the project's folder, or give --yes"
        )
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SettingsRefused(f"{path} cannot be written: {error.strerror}") from error


def _next(answers: Answers) -> str:
    """Return the commands that come next."""
    name = shlex.quote(str(answers["environment"]))
    keys = [KEYS[one] for one in answers["service.providers"] if one in KEYS]
    steps: list[Any] = [
        ("what it would make", f"gatestack plan {name}"),
        ("make it", f"make deploy-env ENV={name}"),
        *(("the provider's key", f"gatestack secret set {name} {key}") for key in keys),
    ]
    width = max(len(command) for _, command in steps)
    return "\n".join(f"  {command.ljust(width)}  # {what}" for what, command in steps)
