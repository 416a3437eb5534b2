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
    """The environment as commands name it."""
    flags: tuple[str, ...] = ()
    """The run's options, for the command of another run; those that a rollback skips are named each time."""

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
    """What an earlier stack has left was imported; what is missing is still to be created."""
    empty: bool = False
    """The last change set had nothing to change."""
    premature: bool = False
    """The last change set failed because something that it needs did not exist yet."""
    deletes: int = 0
    continues: int = 0
    skipped: tuple[str, ...] = ()
    """Resources that the rollback skipped."""
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
    """The change set is known to match the request."""
    outdated: bool = False
    """The stack was changed by somebody else after the change set was made."""
    fresh: bool = True
    """The observed state is newer than the last action on the stack."""
    hold: str = ""
    """Why nothing may be started yet; an update may still be prepared."""
    early: bool = False
    """What it needs does not exist yet; a change set may fail for that alone."""
    moving: bool = False
    """An operation on what it needs is in progress: a change set would show neither old nor new values."""
    data: tuple[str, ...] | None = None
    """Its existing stateful resources, none if it was never complete; None: not read."""
    foreign: tuple[str, ...] | None = None
    """Change sets of others; None: not read."""
    stuck: tuple[str, ...] | None = None
    """Resources that the rollback failed at; None: not read since."""
    existed: bool = False
    """It existed when the run began."""
    history: History = field(default_factory=History)


def live(stack: StackState | None) -> StackState | None:
    """Return *stack* if it exists and has more than imported resources: with outputs, it was complete."""
    if stack is None or stack.status in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
        return None
    return None if stack.status == "IMPORT_COMPLETE" and not stack.outputs else stack
