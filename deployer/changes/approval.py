"""Compares what a run decides about each stack with the approved plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from deployer.actions import (
    Action,
    CreateChangeSet,
    DeleteChangeSet,
    DeleteStack,
    Execute,
    Fail,
    Inspect,
    Wait,
)
from deployer.changes.planfile import PlannedStack
from deployer.plan import consent_flags
from deployer.states import Change, ChangeSetState, StackState

AGAIN = "plan again, and have that reviewed"


@dataclass(frozen=True)
class Approval:
    """The approval for one stack, as found when a run starts."""

    planned: PlannedStack
    change_set: ChangeSetState | None = None
    """The reviewed change set; None for a prediction, and for a stack that has nothing to change."""
    executed: bool = False
    """An earlier run with the same plan has executed it already."""
    lasting: bool = True
    """The plan is in a file and can be executed later: a run does not remove its change sets."""


def held(approval: Approval, action: Action, change_set: ChangeSetState | None) -> Action:
    """Return *action*, or a refusal if it was not approved; *change_set* is the stack's current one."""
    planned = approval.planned
    fixed = planned.exact
    match action:
        case CreateChangeSet() if fixed:
            return Fail(f"what was planned for it is no longer there: {AGAIN}", "protected")
        case DeleteChangeSet(empty=False, premature=False):
            return Fail(f"it was changed after the plan was made: {AGAIN}", "protected")
        case DeleteStack() if planned.action not in {"recreate", "delete"}:
            return Fail(f"it would have to be deleted, which was not planned: {AGAIN}", "protected")
        case Execute() if not fixed and change_set is not None:
            if losses := surprises(planned.changes, change_set.changes):
                names = ", ".join(f"{change.logical_id} ({change.type})" for change in losses)
                what = f"it would replace or remove {names}, which holds data and was not in the plan"
                return Fail(f"{what}: {AGAIN}", "protected")
    return action


def surprises(planned: Collection[Change], found: Collection[Change]) -> tuple[Change, ...]:
    """Return changes in *found* that lose data and are not in the reviewed plan."""
    seen = {change.logical_id for change in planned if change.destructive}
    return tuple(one for one in found if one.stateful and one.destructive and one.logical_id not in seen)


def differences(
    planned: PlannedStack, change_set: ChangeSetState, parameters: Mapping[str, str]
) -> Iterator[str]:
    """Yield, in words, how the real change set of a predicted stack differs from the prediction."""
    for name in sorted(planned.parameters.keys() & parameters.keys()):
        if planned.parameters[name] != parameters[name]:
            yield f"{name} is {parameters[name]!r}, and was {planned.parameters[name]!r} in the plan"
    before, now = _listed(planned.changes), _listed(change_set.changes)
    if more := sorted(now - before):
        yield f"not in the plan: {', '.join(f'{action} {name}' for name, action in more)}"
    if less := sorted(before - now):
        yield f"in the plan, and not needed: {', '.join(f'{action} {name}' for name, action in less)}"


def _listed(changes: Collection[Change]) -> set[tuple[str, str]]:
    return {(change.logical_id, change.action) for change in changes if change.action != "Import"}


def removal(
    action: Action, stack: StackState | None, data: Collection[str] | None, allowed: Collection[str]
) -> Action:
    """
    Return *action* on a stack that the environment no longer has, or a refusal.

    *data*: its stateful resources, None if not read yet. Refused before anything is changed.
    """
    if stack is None or not isinstance(action, (Wait, DeleteStack, Fail)):
        return action
    going = stack.status.startswith("DELETE_") and stack.status != "DELETE_FAILED"
    if going or (isinstance(action, Fail) and not stack.protected):
        return action
    gone = "it is no longer in the environment"
    if stack.protected:
        off = "disable it in CloudFormation, or add the stack to the environment again"
        return Fail(f"{gone}, and it has termination protection: {off}", "protected")
    if data is None:
        return Inspect(f"{gone}; does it hold data?")
    if lost := sorted(set(data) - set(allowed)):
        flags = consent_flags(lost)
        return Fail(f"{gone}, and it holds {', '.join(lost)}; to allow it: {flags}", "protected", flags)
    return action
