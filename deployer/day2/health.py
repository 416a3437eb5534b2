"""Runs checks in parallel; a read that fails affects its own check only. Makes no judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from deployer.day2.verification import Check
from deployer.errors import DeployError, Interrupted, LostSight, NotAllowed, NotOffered
from deployer.options import Host
from deployer.run.concurrency import Workers


@dataclass(frozen=True)
class Question:
    """One query, which may return several checks."""

    name: str
    """The name of the check that reports a failed query."""
    ask: Callable[[], Sequence[Check]]
    of: str = ""
    """Short name of the last stack whose resources it reads; empty if it needs none."""


def answers(
    questions: Sequence[Question], host: Host, missing: Mapping[str, str] = MappingProxyType({})
) -> tuple[Check, ...]:
    """
    Return the checks, in the order of *questions*; *missing*: by stack, why its queries are skipped.

    Raises:
        LostSight: the login is over.
        Interrupted: a signal came.

    """

    def one(question: Question) -> Sequence[Check]:
        if question.of in missing:
            return (Check(question.name, "skipped", missing[question.of]),)
        return () if host.stop() else _answer(question)

    with Workers(host.workers) as workers:
        found = workers.each(one, questions)
    if host.stop():
        raise Interrupted("interrupted: nothing is in progress, and nothing was changed")
    return tuple(check for checks in found for check in checks)


def _answer(question: Question) -> Sequence[Check]:
    try:
        return question.ask()
    except LostSight:
        raise
    except NotOffered as error:
        return (Check(question.name, "skipped", str(error)),)
    except NotAllowed as error:
        what, _, permission = str(error).rpartition(": grant ")
        return (Check(question.name, "unknown", what, f"grant {permission}"),)
    except DeployError as error:
        return (Check(question.name, "unknown", str(error), "try again"),)
