"""The next action for a stack: one frozen class per kind of action, each with its reason. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from deployer.progress import Outcome, Verb
from deployer.states import Kind


@dataclass(frozen=True)
class CreateChangeSet:
    """Look up parameters and create a change set."""

    step: ClassVar[str] = "prepare"
    """The name of the step in messages; every action has one."""
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Compare:
    """Compare the whole change set with its request; only a matching one may be executed."""

    step: ClassVar[str] = "compare"
    change_set_id: str
    reason: str


@dataclass(frozen=True)
class Execute:
    """Execute the change set."""

    step: ClassVar[str] = "execute"
    change_set_id: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Migrate:
    """Take the next step of the migration that must end before the change set is executed."""

    step: ClassVar[str] = "migrate"
    kind: Kind
    reason: str


@dataclass(frozen=True)
class DeleteChangeSet:
    """Delete the change set; *empty* when it has no changes."""

    step: ClassVar[str] = "remove change set"
    change_set_id: str
    reason: str
    empty: bool = False
    premature: bool = False


@dataclass(frozen=True)
class Inspect:
    """Read what is in the stack: resources and change sets."""

    step: ClassVar[str] = "look inside"
    reason: str


@dataclass(frozen=True)
class DeleteStack:
    """Delete the stack."""

    step: ClassVar[str] = "delete"
    reason: str


@dataclass(frozen=True)
class ContinueRollback:
    """Continue the rollback of a failed update, without the resources in *skip*."""

    step: ClassVar[str] = "continue rollback"
    reason: str
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollBack:
    """Roll a failed update back."""

    step: ClassVar[str] = "roll back"
    reason: str


@dataclass(frozen=True)
class Protect:
    """Switch termination protection."""

    step: ClassVar[str] = "protect"
    on: bool
    reason: str


@dataclass(frozen=True)
class Wait:
    """Poll again later: the stack, its change set, a task, or only after progress of other stacks."""

    reason: str
    on: Literal["stack", "change set", "task", "others"] = "stack"


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""

    verb: Verb
    reason: str


@dataclass(frozen=True)
class Fail:
    """The stack has failed: the reason, and what a person can do."""

    reason: str
    outcome: Outcome = "failed"
    allow: str = ""
    """The options that make the same command succeed; empty if none does."""

    def also(self, other: Fail) -> Fail:
        """Combine two refusals of one stack."""
        allow = f"{self.allow} {other.allow}" if self.allow and other.allow else ""
        return Fail(f"{self.reason}; {other.reason}", self.outcome, allow)


PREPARING = frozenset({CreateChangeSet.step, Compare.step, DeleteChangeSet.step, Inspect.step})
"""Steps that leave every stack as it is."""

Action = (
    CreateChangeSet
    | Compare
    | Execute
    | Migrate
    | DeleteChangeSet
    | Inspect
    | DeleteStack
    | ContinueRollback
    | RollBack
    | Protect
    | Wait
    | Done
    | Fail
)
