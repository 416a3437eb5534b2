"""Asks the questions of `setup` one after the other; a user can go back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import click

from gatestack.environment import FOLDER, SettingsRefused
from gatestack.setup.draft import Answers
from gatestack.setup.question import Question
from gatestack.setup.questions import QUESTIONS
from stacks import bases
from stacks.settings import System

BACK: Final = "<"
"""An answer that goes back to the previous question. No key accepts it as a value."""
UNPREFIXED = get_args(System)[0]
"""The system whose files are named after their environment alone."""


class WentBack(Exception):  # noqa: N818 - named after what happened
    """The user wants to answer the previous question again."""


class Asker:
    """Where answers come from: an option, the terminal, the defaults."""

    def __init__(self, *, asks: bool, takes_defaults: bool, force: bool) -> None:
        self._asks = asks
        self.takes_defaults = takes_defaults
        self._force = force
        self.missing: list[str] = []
        """Missing options."""

    def answer(self, question: Question, answers: Answers, given: str | None) -> Answers:
        """Return *answers* with one more; raises SettingsRefused if the option's value is invalid."""
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
            if text.strip() == BACK:
                raise WentBack
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


class Interview:
    """All questions, and the answers so far."""

    def __init__(self, said: Mapping[str, str | None], asker: Asker) -> None:
        self._said = said
        self._asker = asker
        self._answers: Answers = {}
        self._next = 0
        self._asked: list[tuple[int, Answers]] = []
        """Each question that the user was asked, by its number, with the answers before it."""

    def answers(self) -> Answers:
        """
        Return the answer to every question, from where the interview stands.

        Raises:
            UsageError: options are missing, or idle; the message names all of them.

        """
        while self._next < len(QUESTIONS):
            try:
                self._ask(QUESTIONS[self._next])
            except WentBack:
                self.back()
        self._check_options()
        return self._answers

    def back(self) -> None:
        """Go back to the question that was asked last; at the first one, stay there."""
        if self._asked:
            self._next, self._answers = self._asked.pop()

    def _ask(self, question: Question) -> None:
        before = self._answers
        if question.concerns(before):
            given = self._said[question.name]
            self._answers = self._asker.answer(question, before, given)
            if given is None:
                self._asked.append((self._next, before))
        self._next += 1

    def _check_options(self) -> None:
        if self._asker.missing:
            hint = "these have no default" if self._asker.takes_defaults else "--yes takes the defaults"
            missing = ", ".join(self._asker.missing)
            raise click.UsageError(f"stdin is not a terminal: give {missing} ({hint})")
        idle = [
            one.option
            for one in QUESTIONS
            if self._said[one.name] is not None and not one.concerns(self._answers)
        ]
        if idle:
            raise click.UsageError(f"{', '.join(idle)}: does not apply with the other answers; leave it out")


def place(answers: Answers) -> Path:
    """Return the file's place: two systems may both have a ``dev``."""
    system, environment = answers["system"], answers["environment"]
    return FOLDER / f"{environment if system == UNPREFIXED else f'{system}-{environment}'}.yaml"


def _check_free(answers: Answers) -> None:
    """Raise ValueError if the file exists, or another file has the same environment."""
    path = place(answers)
    if path.exists():
        raise ValueError(f"{path} exists already; choose another name, or --force to overwrite it")
    wanted = (answers["system"], answers["environment"])
    for other in bases.environment_files(FOLDER):
        found = bases.named(other)
        if (found.system, found.environment) == wanted:
            what = f"{other} has the environment {found.environment} of {found.system} already"
            raise ValueError(f"{what}; another name, or --force for a second file of it")
