"""
The four steps of Secrets Manager's rotation, for any secret: who may take one, in what order, what is
logged.

Secrets Manager repeats steps, from the first one or from the one that failed, so each may run any number of
times. Knows labels and nothing of what a secret is for: that is a `Subject`. Source: Secrets Manager User
Guide, "Lambda rotation functions", and AWS's templates, whose checks of the event and the labels are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stacks.functions.errors import RotationError, reason
from stacks.functions.versions import CURRENT, PENDING, Labels, Value, Versions

TOKEN_LENGTH = 8
"""Characters of the version that the log shows."""

Say = Callable[[str], None]
"""Writes one line to the log."""


class Subject(Protocol):
    """What is rotated; every method may run again after it ran, or ran in part."""

    def next_value(self, current: Value) -> Value:
        """Return the new value: *current* with new credentials, all other fields as they are."""

    def put_in_place(self, current: Value, pending: Value, token: str) -> None:
        """Make *pending* known to what is logged in to; *current* goes on working."""

    def check(self, current: Value, pending: Value) -> None:
        """Show that *pending* works; it is a copy of *current* when Secrets Manager tests the function."""

    def take_over(self, current: Value, pending: Value) -> None:
        """Do what must be done just before *pending* becomes current; *current* goes on working."""

    def roll(self) -> None:
        """Make those who read the secret at their start read it again."""


@dataclass(frozen=True)
class Turn:
    """One call of Secrets Manager: take *step* with version *token* of *secret*."""

    secret: str
    token: str
    step: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Turn:
        """Read the event; raises RotationError when it is none of Secrets Manager's."""
        wanted = ("SecretId", "ClientRequestToken", "Step")
        missing = [name for name in wanted if not isinstance(event.get(name), str)]
        if missing:
            raise RotationError(f"the event has no {', '.join(missing)}: only Secrets Manager calls this")
        turn = cls(*(event[name] for name in wanted))
        if turn.step not in STEPS:
            raise RotationError(
                f"the event's step is none of {', '.join(STEPS)}: only Secrets Manager calls this"
            )
        return turn

    @property
    def name(self) -> str:
        """Name of the secret, without what Secrets Manager adds to it in the ARN."""
        if not self.secret.startswith("arn:"):
            return self.secret
        return self.secret.rpartition(":")[2].rpartition("-")[0]


def rotate(event: Mapping[str, Any], secrets: Any, subject: Subject, say: Say) -> None:
    """
    Take the step that *event* names, with *secrets*, a Secrets Manager client, and write one line about it.

    Raises:
        RotationError: whatever stopped the step, without anything secret: Lambda logs what it is given.

    """
    turn = Turn.of(event)
    try:
        _take(turn, Versions(secrets, turn.secret, turn.token), subject)
    except Exception as error:  # noqa: BLE001 - no error but ours may reach Lambda's log
        said = reason(error)
        say(_line(turn, outcome="failed", error=said))
        # Not chained: the log would show the first error's own text.
        raise RotationError(f"{turn.name}, {turn.step}: {said}") from None
    say(_line(turn, outcome="done"))


def _take(turn: Turn, versions: Versions, subject: Subject) -> None:
    labels = versions.labels()
    if not labels.enabled:
        raise RotationError("the secret's rotation is switched off: switch it on, then rotate")
    if CURRENT in labels.of(turn.token):
        # All is done but, perhaps, the last of it.
        if turn.step == "finishSecret":
            subject.roll()
        return
    if PENDING not in labels.of(turn.token):
        raise RotationError(f"version {turn.token[:TOKEN_LENGTH]} is not {PENDING}: start another rotation")
    STEPS[turn.step](_Steps(versions, labels, subject))


@dataclass(frozen=True)
class _Steps:
    """The four steps for a version that is really pending."""

    versions: Versions
    labels: Labels
    """From before the values are read: if the current value changes meanwhile, AWS refuses the move."""
    subject: Subject

    def create(self) -> None:
        current = self.versions.current()
        if self.versions.pending() is None:
            self.versions.put(self.subject.next_value(current))

    def set(self) -> None:
        self.subject.put_in_place(self.versions.current(), self._made(), self.versions.token)

    def test(self) -> None:
        """Secrets Manager tests the function itself, too, perhaps without a value: nothing to try then."""
        pending = self.versions.pending()
        if pending is not None:
            self.subject.check(self.versions.current(), pending)

    def finish(self) -> None:
        self.subject.take_over(self.versions.current(), self._made())
        self.versions.make_current(instead_of=self.labels.current)
        self.subject.roll()

    def _made(self) -> Value:
        pending = self.versions.pending()
        if pending is None:
            raise RotationError(
                "the new version has no value: createSecret comes first; start another rotation"
            )
        return pending


STEPS: Mapping[str, Callable[[_Steps], None]] = {
    "createSecret": _Steps.create,
    "setSecret": _Steps.set,
    "testSecret": _Steps.test,
    "finishSecret": _Steps.finish,
}
"""In the order in which Secrets Manager takes them."""


def _line(turn: Turn, **said: str) -> str:
    about = {"secret": turn.name, "token": turn.token[:TOKEN_LENGTH], "step": turn.step}
    return json.dumps(about | said)
