"""One question of `setup` as data, and the conversion of an answer to values of the file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatestack.setup.draft import Answers, made_wrong, objection
from stacks.environment import defaults, is_unused

ACCESS: Mapping[str, Mapping[str, Any]] = {
    "domain": {},
    "certificate": {},
    "http": {},
    "internal": {"alb.internal": True},
}
"""How clients reach the gateway -> the values that follow from it."""


@dataclass(frozen=True)
class Question:
    """A question about a new environment."""

    name: str
    """Of its option: ``nat-gateways``."""
    key: str
    """Of the environment file; for ``access`` the section that errors refer to."""
    words: str
    default: Callable[[Answers], str | None] = lambda _: None
    """The answer in brackets; None: there is none, an empty one: nothing is written to the file."""
    asked: Callable[[Answers], bool] = lambda _: True
    """Further condition for asking, beside that the system uses the key."""
    adds: Callable[[Answers], str] = lambda _: ""
    """Text added to the question, from the answers before it."""
    value: Callable[[Answers, str], Any] = lambda _, text: text
    """The answer as the file has it; raises ValueError with the reason if it is invalid."""
    implies: Callable[[Answers], Mapping[str, Any]] = lambda _: {}
    """Values of other keys that follow from the answer."""
    meanwhile: Mapping[str, Any] = field(default_factory=dict)
    """Assumed answers to later questions, for rules that need both."""
    assumed: bool = False
    """Whether the default is used without a terminal; for other questions --yes is needed."""
    weighed: bool = False
    """Whether errors that it causes in earlier answers count: all other answers are known then."""

    @property
    def option(self) -> str:
        """Return its option: ``--nat-gateways``."""
        return f"--{self.name}"

    def concerns(self, answers: Answers) -> bool:
        """Whether it is asked after *answers*."""
        unused = "system" in answers and is_unused(answers["system"], self.key)
        return not unused and self.asked(answers)

    def answered(self, answers: Answers, text: str) -> Answers:
        """Return *answers* with the answer *text*; raises ValueError with the reason if it is invalid."""
        text = text.strip()
        if self.name == "access":
            return _access(answers, text)
        if not text and self.default(answers) == "":
            return answers
        result = {**answers, self.key: self.value(answers, text)}
        result |= self.implies(result)
        reason = objection({**self.meanwhile, **result}, self.key)
        if self.weighed and not reason:
            reason = made_wrong(answers, result)
        if reason:
            raise ValueError(reason)
        return result


def _access(answers: Answers, text: str) -> Answers:
    if text not in ACCESS:
        raise ValueError(f"{text!r} is unknown; write {', '.join(ACCESS)}")
    result = {**answers, "access": text, **ACCESS[text]}
    reason = objection(filed(result), "alb") if text in {"http", "internal"} else None
    if reason:
        raise ValueError(reason)
    return result


def filed(answers: Answers) -> Answers:
    """Return the part of *answers* for the file."""
    return {key: value for key, value in answers.items() if key != "access"}


def number(_: Answers, text: str) -> int | str:
    """Return *text* as a number if it is one; the file's own rules refuse the rest."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def as_list(_: Answers, text: str) -> list[str]:
    """Return the items of *text* between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def usual(answers: Answers, section: str, key: str) -> Any:
    """Return the default of a key, in the system and tier that were answered."""
    return defaults(answers["system"], answers["tier"])[section][key]


def always(text: str) -> Callable[[Answers], str]:
    """Return a constant default."""
    return lambda _: text
