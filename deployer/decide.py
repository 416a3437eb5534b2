"""
The next action for one stack: `decide(goal, desired, observed) -> action`. Pure and stateless.

It is called after each observation until it returns `Done` or `Fail`. An observation may be stale, and a
request may have succeeded without a response: called again, it must not repeat the same action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deployer.actions import (
    Action,
    Compare,
    ContinueRollback,
    CreateChangeSet,
    DeleteChangeSet,
    DeleteStack,
    Done,
    Execute,
    Fail,
    Inspect,
    Protect,
    RollBack,
    Wait,
)
from deployer.causes import way_out
from deployer.observed import Desired, Observed
from deployer.plan import consent_flags, needs_consent
from deployer.progress import Goal, Verb
from deployer.states import ChangeSetState, Kind, StackState
from deployer.statuses import SUCCEEDED, Row, Step, row

OWNER_TAGS = ("ManagedBy", "Environment", "System")
EMPTY = ("The submitted information didn't contain changes.", "No updates are to be performed")
"""How AWS words a change set without changes (recorded from AWS; the second with transforms)."""

DELETION_REFUSED = ("in use by", "Delete canceled")
"""Words of a status reason after which a deletion is not worth repeating: the status stays as it was."""

CHANGE_SETS_AT_MOST = 4
REPEATS_AT_MOST = 2


def owned(stack: StackState, tags: Mapping[str, str]) -> bool:
    """Whether gatestack made *stack*, for the same environment and system."""
    ours = tags.get("ManagedBy") == "gatestack"
    return ours and all(stack.tags.get(key) == tags.get(key) for key in OWNER_TAGS)


def is_empty(change_set: ChangeSetState) -> bool:
    """Whether AWS found nothing to change. (An empty list proves nothing: outputs and tags are not in it.)"""
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
    """Return what follows from the change set that this run executed."""
    stack, history = observed.stack, observed.history
    if stack is None or not observed.fresh or stack.status == "REVIEW_IN_PROGRESS":
        return Wait("AWS does not show the start yet")
    if stack.status in SUCCEEDED and history.kind == "IMPORT":
        return CreateChangeSet("UPDATE", "what was kept is imported, the rest is created")
    if stack.status in SUCCEEDED:
        updated = history.kind == "UPDATE" and not history.imported
        verb: Verb = "update" if updated else "recreate" if history.deletes else "create"
        return _protected(desired, observed, stack) or Done(
            verb, f"{stack.status.removesuffix('_COMPLETE').lower()}d"
        )
    if status.deploy is Step.WAIT:
        return Wait(status.text)
    return Fail(_why(stack, status))


def _create(desired: Desired, observed: Observed, status: Row) -> Action:
    if observed.hold:
        return Wait(observed.hold, on="others")
    return _by_change_set(desired, observed, "CREATE", status)


def _update(desired: Desired, observed: Observed, status: Row) -> Action:
    stack = observed.stack
    if observed.history.empty and stack is not None:
        return _protected(desired, observed, stack) or Done("none", "nothing to change")
    unprepared = observed.moving and observed.change_set is None
    if unprepared or (observed.history.premature and observed.early):
        return Wait(observed.hold, on="others")
    return _by_change_set(desired, observed, "UPDATE", status)


def _by_change_set(desired: Desired, observed: Observed, kind: Kind, status: Row) -> Action:
    one = observed.change_set
    if one is None and observed.history.change_sets >= CHANGE_SETS_AT_MOST:
        text = "its change sets keep becoming obsolete, or are deleted before they can be executed"
        return Fail(f"{text}: somebody else is deploying this stack")
    if one is None:
        return CreateChangeSet(kind, status.text)
    if useless := _useless(one, observed):
        return useless
    if one.execution == "AVAILABLE":
        return (
            _refused(desired, observed, one, kind) or _compare(observed, one) or _execute(observed, one, kind)
        )
    if one.execution == "UNAVAILABLE":
        return Wait("AWS is creating the change set", on="change set")
    return Wait("its change set was started already")


def _useless(one: ChangeSetState, observed: Observed) -> Action | None:
    if is_empty(one):
        return DeleteChangeSet(one.id, "nothing to change", empty=True)
    if observed.outdated or one.execution in {"OBSOLETE", "EXECUTE_COMPLETE", "EXECUTE_FAILED"}:
        return DeleteChangeSet(one.id, "the stack was changed after the change set was made")
    if one.status != "FAILED":
        return None
    if observed.early:
        return DeleteChangeSet(one.id, "what it needs does not exist yet", premature=True)
    return Fail(f"the change set was refused: {one.reason or 'AWS gives no reason'}")


def _refused(desired: Desired, observed: Observed, one: ChangeSetState, kind: Kind) -> Action | None:
    if risky := needs_consent(one.changes, desired.allow_replace):
        names = ", ".join(f"{change.logical_id} ({change.type})" for change in risky)
        allow = consent_flags(change.logical_id for change in risky)
        return Fail(
            f"it would replace or remove {names}, which holds data; to allow it: {allow}", "protected", allow
        )
    foreign = kind == "UPDATE" and observed.stack is not None and not owned(observed.stack, desired.tags)
    going = [change.logical_id for change in one.changes if foreign and change.destructive]
    if going:
        return Fail(_not_ours(desired, f"it would replace or remove {', '.join(going)}"), "protected")
    return None


def _compare(observed: Observed, one: ChangeSetState) -> Action | None:
    return None if observed.compared else Compare(one.id, "is it what was requested?")


def _execute(observed: Observed, one: ChangeSetState, kind: Kind) -> Action:
    if observed.hold:
        return Wait(observed.hold, on="others")
    count = len(one.changes)
    return Execute(one.id, kind, f"{count} resource{'' if count == 1 else 's'} to change")


def _wait(_: Desired, __: Observed, status: Row) -> Action:
    return Wait(status.text)


def _stop(_: Desired, __: Observed, status: Row) -> Action:
    return Fail(f"{status.text}: bring it to a steady state in the AWS console, then run this again")


def _recreate(desired: Desired, observed: Observed, status: Row) -> Action:
    stack, history = observed.stack, observed.history
    if observed.hold or stack is None:
        return Wait(observed.hold, on="others")
    if not owned(stack, desired.tags):
        return Fail(_not_ours(desired, f"{status.text}, and it would have to be deleted"), "protected")
    if history.deletes and not observed.fresh:
        return Wait("AWS does not show the deletion yet")
    if history.deletes >= REPEATS_AT_MOST:
        return Fail(_why(stack, status))
    return _holds_data(observed, stack, status) or _delete(stack, observed, status)


def _holds_data(observed: Observed, stack: StackState, status: Row) -> Action | None:
    if observed.data is None:
        return Inspect(f"{_why(stack, status)}; does it hold data?")
    if observed.data:
        held = ", ".join(observed.data)
        text = f"{status.text}, and it holds {held}: back that up and delete the stack yourself"
        return Fail(text, "protected")
    return None


def _delete(stack: StackState, observed: Observed, status: Row) -> Action:
    if stack.protected and not observed.history.unprotected:
        return Protect(on=False, reason=f"{status.text} and holds no data")
    return DeleteStack(f"{_why(stack, status)}; deleted, then created again")


def _continue(desired: Desired, observed: Observed, status: Row) -> Action:
    stack, history = observed.stack, observed.history
    refusal = _not_yet(desired, observed, status, history.continues)
    if stack is None or refusal:
        return refusal or Wait(observed.hold, on="others")
    why, spent = _why(stack, status), history.continues >= REPEATS_AT_MOST
    if observed.stuck is None and (spent or desired.skip_in_rollback):
        return Inspect(f"{why}; at what?")
    stuck = observed.stuck or ()
    skip = tuple(sorted(one for one in desired.skip_in_rollback if one.partition(".")[0] in stuck))
    if not spent or (skip and not set(skip) <= set(history.skipped)):
        return ContinueRollback(why, skip)
    if not stuck:
        return Fail(why)
    return Fail(f"{why}; it fails at {', '.join(stuck)} -> {way_out(desired.command, stuck)}", "protected")


def _roll_back(desired: Desired, observed: Observed, status: Row) -> Action:
    stack, done = observed.stack, observed.history.rollbacks
    refusal = _not_yet(desired, observed, status, done)
    if stack is None or refusal:
        return refusal or Wait(observed.hold, on="others")
    return Fail(_why(stack, status)) if done >= REPEATS_AT_MOST else RollBack(_why(stack, status))


def _not_yet(desired: Desired, observed: Observed, status: Row, done: int) -> Action | None:
    """Return what has to precede a request for a rollback, which was requested *done* times."""
    stack = observed.stack
    if observed.hold or stack is None:
        return Wait(observed.hold, on="others")
    if not owned(stack, desired.tags):
        return Fail(_not_ours(desired, f"{status.text}, and it would have to be rolled back"), "protected")
    return Wait("AWS does not show the rollback yet") if done and not observed.fresh else None


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
    stack = observed.stack
    if stack is None or status.destroy is Step.NOTHING:
        return Done("delete", "deleted") if observed.existed else Done("none", "it does not exist")
    if observed.hold:
        return Wait(observed.hold, on="others")
    if status.destroy is Step.STOP:
        return _stop(desired, observed, status)
    if status.destroy is Step.WAIT:
        return Wait(status.text)
    return _may_not_delete(desired, observed, stack) or _remove(observed, stack, status)


def _remove(observed: Observed, stack: StackState, status: Row) -> Action:
    history = observed.history
    if (history.deletes or history.continues) and not observed.fresh:
        return Wait("AWS does not show it yet")
    if history.deletes and any(words in stack.reason for words in DELETION_REFUSED):
        return Fail(f"AWS does not delete it: {stack.reason}")
    if status.destroy is Step.CONTINUE and not history.continues and not history.deletes:
        return ContinueRollback(f"{_why(stack, status)}; then deleted")
    if history.deletes >= REPEATS_AT_MOST:
        return Fail(_why(stack, status))
    return DeleteStack(_why(stack, status) if stack.status == "DELETE_FAILED" else status.text)


def _may_not_delete(desired: Desired, observed: Observed, stack: StackState) -> Action | None:
    if not owned(stack, desired.tags) and (refusal := _foreign(desired, observed, stack)):
        return refusal
    if stack.protected and not desired.force:
        return Fail(
            "it has termination protection; `destroy --force` switches it off", "protected", "--force"
        )
    if stack.protected and not observed.history.unprotected:
        return Protect(on=False, reason="--force")
    return None


def _foreign(desired: Desired, observed: Observed, stack: StackState) -> Action | None:
    """Refuse a stack that is not ours; one under review has no tags yet, so the change sets in it decide."""
    if stack.status != "REVIEW_IN_PROGRESS":
        return Fail(_not_ours(desired, "it would be deleted"), "protected")
    if observed.foreign is None:
        return Inspect("it was prepared and never created; by whom?")
    if observed.foreign:
        names = ", ".join(observed.foreign)
        return Fail(_not_ours(desired, f"it has change sets of others ({names})"), "protected")
    return None


def _protected(desired: Desired, observed: Observed, stack: StackState) -> Action | None:
    if desired.termination_protection and not stack.protected and not observed.history.protected:
        return Protect(on=True, reason="production stacks are protected against deletion")
    return None


def _not_ours(desired: Desired, what: str) -> str:
    tags = ", ".join(f"{key}={desired.tags.get(key, '')}" for key in OWNER_TAGS)
    return f"{what}, but gatestack did not create it: it does not have the tags {tags}; handle it yourself"


def _why(stack: StackState, status: Row) -> str:
    return f"{status.text}: {stack.reason}" if stack.reason else status.text
