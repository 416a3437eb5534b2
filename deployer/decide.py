"""
What to do next about one stack: `decide(goal, desired, observed) -> action`. Pure: asks nobody, remembers nothing.

It is called again after each look until it says `Done` or `Fail`. What was seen may be stale, what was asked for
may have been carried out without an answer: the same question twice must never do the same thing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deployer.cloud import ChangeSetState, Kind, StackState
from deployer.plan import needs_consent
from deployer.progress import Goal, Outcome, Verb
from deployer.statuses import SUCCEEDED, Row, Step, row

OWNER_TAGS = ("ManagedBy", "Environment", "System")
EMPTY = ("The submitted information didn't contain changes.", "No updates are to be performed")
"""How AWS words a change set without changes (recorded from AWS; the second with transforms)."""

CHANGE_SETS_AT_MOST = 4
REPEATS_AT_MOST = 2


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


@dataclass(frozen=True)
class History:
    """What this run has done to one stack, and been answered."""

    executed: str | None = None
    """Id of the change set that was executed."""
    kind: Kind = "CREATE"
    """Of what was executed."""
    change_sets: int = 0
    empty: bool = False
    """The last change set had nothing to change."""
    premature: bool = False
    """The last change set failed before what it needs was there."""
    deletes: int = 0
    continues: int = 0
    rollbacks: int = 0


@dataclass(frozen=True)
class Observed:
    """What is known about one stack."""

    stack: StackState | None = None
    change_set: ChangeSetState | None = None
    """The one that this run works with."""
    outdated: bool = False
    """The stack was changed by somebody else after the change set was made."""
    fresh: bool = True
    """What is seen of the stack is from after the last thing that was done to it."""
    hold: str = ""
    """Why nothing may be started yet; an update may be prepared all the same."""
    data: tuple[str, ...] | None = None
    """Stateful resources that exist in it; None: nobody has looked."""
    foreign: tuple[str, ...] | None = None
    """Change sets of others; None: nobody has looked."""
    history: History = field(default_factory=History)


@dataclass(frozen=True)
class CreateChangeSet:
    """Look parameters up, ask for a change set."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class Execute:
    """Execute the change set."""

    change_set_id: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class DeleteChangeSet:
    """Remove the change set; *empty* when it had nothing to change."""

    change_set_id: str
    reason: str
    empty: bool = False
    premature: bool = False


@dataclass(frozen=True)
class Inspect:
    """Read what is in the stack: resources and change sets."""

    reason: str


@dataclass(frozen=True)
class DeleteStack:
    """Delete the stack."""

    reason: str


@dataclass(frozen=True)
class ContinueRollback:
    """Continue the rollback of a failed update."""

    reason: str


@dataclass(frozen=True)
class RollBack:
    """Roll a failed update back."""

    reason: str


@dataclass(frozen=True)
class Protect:
    """Switch termination protection."""

    on: bool
    reason: str


@dataclass(frozen=True)
class Wait:
    """Look again later."""

    reason: str


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""

    verb: Verb
    reason: str


@dataclass(frozen=True)
class Fail:
    """Nothing more can be done; why, and what a person can do."""

    reason: str
    outcome: Outcome = "failed"


Action = (
    CreateChangeSet
    | Execute
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


def owned(stack: StackState, tags: Mapping[str, str]) -> bool:
    """Whether gatestack made *stack*, for the same environment and system."""
    ours = tags.get("ManagedBy") == "gatestack"
    return ours and all(stack.tags.get(key) == tags.get(key) for key in OWNER_TAGS)


def is_empty(change_set: ChangeSetState) -> bool:
    """Whether AWS found nothing to change. (No listed changes prove nothing: outputs and tags are not listed.)"""
    return change_set.status == "FAILED" and change_set.reason.startswith(EMPTY)


def decide(goal: Goal, desired: Desired, observed: Observed) -> Action:
    """Return the next thing to do about one stack."""
    status = row(observed.stack.status if observed.stack else None)
    if goal == "destroy":
        return _destroy(desired, observed, status)
    if observed.history.executed is not None:
        return _outcome(desired, observed, status)
    return _DEPLOY[status.deploy](desired, observed, status)


def _outcome(desired: Desired, observed: Observed, status: Row) -> Action:
    """What became of the change set that this run executed."""
    stack, history = observed.stack, observed.history
    if stack is None or not observed.fresh or stack.status == "REVIEW_IN_PROGRESS":
        return Wait("AWS has not shown the beginning yet")
    if stack.status in SUCCEEDED:
        verb: Verb = "update" if history.kind == "UPDATE" else "recreate" if history.deletes else "create"
        return _protected(desired, stack) or Done(verb, f"{stack.status.removesuffix('_COMPLETE').lower()}d")
    if status.deploy is Step.WAIT:
        return Wait(status.text)
    return Fail(_why(stack, status))


def _create(desired: Desired, observed: Observed, status: Row) -> Action:
    if observed.hold:
        return Wait(observed.hold)
    return _by_change_set(desired, observed, "CREATE", status)


def _update(desired: Desired, observed: Observed, status: Row) -> Action:
    stack = observed.stack
    if observed.history.empty and stack is not None:
        return _protected(desired, stack) or Done("none", "nothing to change")
    if observed.history.premature and observed.hold:
        return Wait(observed.hold)
    return _by_change_set(desired, observed, "UPDATE", status)


def _by_change_set(desired: Desired, observed: Observed, kind: Kind, status: Row) -> Action:
    one = observed.change_set
    if one is None:
        if observed.history.change_sets >= CHANGE_SETS_AT_MOST:
            return Fail("its change sets keep going out of date: somebody else is at work on this stack")
        return CreateChangeSet(kind, status.text)
    if is_empty(one):
        return DeleteChangeSet(one.id, "nothing to change", empty=True)
    if observed.outdated or one.execution in {"OBSOLETE", "EXECUTE_COMPLETE", "EXECUTE_FAILED"}:
        return DeleteChangeSet(one.id, "the stack was changed after the change set was made")
    if one.status == "FAILED" and observed.hold:
        return DeleteChangeSet(one.id, "what it needs is not there yet", premature=True)
    if one.status == "FAILED":
        return Fail(f"the change set was refused: {one.reason or 'AWS gives no reason'}")
    if one.execution == "AVAILABLE":
        return _execute(desired, observed, one, kind)
    return Wait("AWS is working the change set out" if one.execution == "UNAVAILABLE" else "it was started")


def _execute(desired: Desired, observed: Observed, one: ChangeSetState, kind: Kind) -> Action:
    if risky := needs_consent(one.changes, desired.allow_replace):
        names = ", ".join(f"{change.logical_id} ({change.type})" for change in risky)
        allow = " ".join(f"--allow-replace {change.logical_id}" for change in risky)
        return Fail(
            f"it would replace or remove {names}, which holds data; to allow it: {allow}", "protected"
        )
    if kind == "UPDATE" and observed.stack is not None and not owned(observed.stack, desired.tags):
        if going := [change.logical_id for change in one.changes if change.destructive]:
            return Fail(_not_ours(desired, f"it would replace or remove {', '.join(going)}"), "protected")
    if observed.hold:
        return Wait(observed.hold)
    count = len(one.changes)
    return Execute(one.id, kind, f"{count} resource{'' if count == 1 else 's'} to change")


def _wait(_: Desired, __: Observed, status: Row) -> Action:
    return Wait(status.text)


def _stop(_: Desired, __: Observed, status: Row) -> Action:
    return Fail(f"{status.text}: bring it to a steady state in the AWS console, then run this again")


def _recreate(desired: Desired, observed: Observed, status: Row) -> Action:
    stack, history = observed.stack, observed.history
    if observed.hold or stack is None:
        return Wait(observed.hold)
    if not owned(stack, desired.tags):
        return Fail(_not_ours(desired, f"{status.text}, and it would have to be deleted"), "protected")
    if history.deletes and not observed.fresh:
        return Wait("AWS has not shown the deletion yet")
    if history.deletes >= REPEATS_AT_MOST:
        return Fail(_why(stack, status))
    if observed.data is None:
        return Inspect(f"{_why(stack, status)}; does it hold data?")
    if observed.data:
        held = ", ".join(observed.data)
        return Fail(
            f"{status.text}, and it holds {held}: save what is in there and delete it yourself", "protected"
        )
    if stack.protected:
        return Protect(on=False, reason=f"{status.text} and holds no data")
    return DeleteStack(f"{_why(stack, status)}; deleted, then created again")


def _continue(desired: Desired, observed: Observed, status: Row) -> Action:
    return _repair(desired, observed, status, observed.history.continues, ContinueRollback)


def _roll_back(desired: Desired, observed: Observed, status: Row) -> Action:
    return _repair(desired, observed, status, observed.history.rollbacks, RollBack)


def _repair(
    desired: Desired,
    observed: Observed,
    status: Row,
    done: int,
    action: type[ContinueRollback] | type[RollBack],
) -> Action:
    stack = observed.stack
    if observed.hold or stack is None:
        return Wait(observed.hold)
    if not owned(stack, desired.tags):
        return Fail(_not_ours(desired, f"{status.text}, and it would have to be rolled back"), "protected")
    if done and not observed.fresh:
        return Wait("AWS has not shown the rollback yet")
    if done >= REPEATS_AT_MOST:
        return Fail(_why(stack, status))
    return action(_why(stack, status))


_DEPLOY: Mapping[Step, Callable[[Desired, Observed, Row], Action]] = {
    Step.CREATE: _create,
    Step.UPDATE: _update,
    Step.WAIT: _wait,
    Step.RECREATE: _recreate,
    Step.CONTINUE: _continue,
    Step.ROLL_BACK: _roll_back,
    Step.STOP: _stop,
}


def _destroy(desired: Desired, observed: Observed, status: Row) -> Action:
    stack, history = observed.stack, observed.history
    if stack is None or status.destroy is Step.NOTHING:
        return Done("delete", "deleted") if history.deletes else Done("none", "it does not exist")
    if observed.hold:
        return Wait(observed.hold)
    if status.destroy is Step.STOP:
        return _stop(desired, observed, status)
    if status.destroy is Step.WAIT:
        return Wait(status.text)
    if refusal := _may_not_delete(desired, observed, stack):
        return refusal
    if (history.deletes or history.continues) and not observed.fresh:
        return Wait("AWS has not shown it yet")
    if status.destroy is Step.CONTINUE and not history.continues and not history.deletes:
        return ContinueRollback(f"{_why(stack, status)}; then deleted")
    if history.deletes >= REPEATS_AT_MOST:
        return Fail(_why(stack, status))
    return DeleteStack(_why(stack, status) if stack.status == "DELETE_FAILED" else status.text)


def _may_not_delete(desired: Desired, observed: Observed, stack: StackState) -> Action | None:
    if not owned(stack, desired.tags):
        if stack.status != "REVIEW_IN_PROGRESS":
            return Fail(_not_ours(desired, "it would be deleted"), "protected")
        if observed.foreign is None:
            return Inspect("it was prepared and never created; by whom?")
        if observed.foreign:
            names = ", ".join(observed.foreign)
            return Fail(_not_ours(desired, f"change sets of others wait in it ({names})"), "protected")
    if stack.protected and not desired.force:
        return Fail("it has termination protection; `destroy --force` switches it off", "protected")
    if stack.protected:
        return Protect(on=False, reason="--force")
    return None


def _protected(desired: Desired, stack: StackState) -> Action | None:
    if desired.termination_protection and not stack.protected:
        return Protect(on=True, reason="production stacks are protected against deletion")
    return None


def _not_ours(desired: Desired, what: str) -> str:
    tags = ", ".join(f"{key}={desired.tags.get(key, '')}" for key in OWNER_TAGS)
    return f"{what}, but gatestack did not make it: it does not have the tags {tags}; see to it yourself"


def _why(stack: StackState, status: Row) -> str:
    return f"{status.text}: {stack.reason}" if stack.reason else status.text
