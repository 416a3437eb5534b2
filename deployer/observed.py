"""The input of a decision about one stack: what is wanted, what is observed, what this run has done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer.progress import again
from deployer.states import ChangeSetState, Kind, StackState


@dataclass(frozen=True)
class Desired:
    """What a run wants of one stack."""

    stack_name: str
    tags: Mapping[str, str]
    """With the tags that say whose it is."""
    termination_protection: bool = False
    allow_replace: frozenset[str] = frozenset()
    force: bool = False
    """Destroy: switch termination protection off."""
    skip_in_rollback: frozenset[str] = frozenset()
    """Logical ids that a rollback which failed may leave as they are."""
    env: str = "ENV"
    """What a command on its environment is given."""
    flags: tuple[str, ...] = ()
    """The options of the run, as a command says them again; what a rollback skips is named each time."""

    @property
    def command(self) -> str:
        """What deploys it, for messages."""
        return again("deploy", self.env, *self.flags)


@dataclass(frozen=True)
class History:
    """What this run has done to one stack, and been answered."""

    executed: str | None = None
    """Id of the change set that was executed."""
    kind: Kind = "CREATE"
    """Of what was executed."""
    change_sets: int = 0
    imported: bool = False
    """What an earlier stack has left was taken up; what is missing is still to be made."""
    empty: bool = False
    """The last change set had nothing to change."""
    premature: bool = False
    """The last change set failed before what it needs was there."""
    deletes: int = 0
    continues: int = 0
    skipped: tuple[str, ...] = ()
    """What the rollback has left as it is."""
    rollbacks: int = 0
    protected: bool = False
    unprotected: bool = False


@dataclass(frozen=True)
class Observed:
    """What is known about one stack."""

    stack: StackState | None = None
    change_set: ChangeSetState | None = None
    """The one that this run works with."""
    compared: bool = True
    """The change set is known to be what was asked for."""
    outdated: bool = False
    """The stack was changed by somebody else after the change set was made."""
    fresh: bool = True
    """What is seen of the stack is from after the last thing that was done to it."""
    hold: str = ""
    """Why nothing may be started yet; an update may be prepared all the same."""
    early: bool = False
    """What it needs is not there yet; a change set may fail for that alone."""
    moving: bool = False
    """What it needs is in the middle of an operation: a change set would show neither old nor new values."""
    data: tuple[str, ...] | None = None
    """Stateful resources that exist in it, none where it never was whole; None: nobody has looked."""
    foreign: tuple[str, ...] | None = None
    """Change sets of others; None: nobody has looked."""
    stuck: tuple[str, ...] | None = None
    """Resources that the rollback failed at; None: nobody has looked since."""
    existed: bool = False
    """It was there when the run began."""
    history: History = field(default_factory=History)


def live(stack: StackState | None) -> StackState | None:
    """Return *stack* if it has anything in it beyond what an earlier one has left: no output says so."""
    if stack is None or stack.status in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
        return None
    return None if stack.status == "IMPORT_COMPLETE" and not stack.outputs else stack
