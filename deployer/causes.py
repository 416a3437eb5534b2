"""
The root cause of a failed operation, from a stack's events, with its remedy. Pure.

"Resource creation cancelled" is a consequence, and the stack's own reason is mostly a summary: neither is
reported as the cause. Failures of a whole stack (an export in use) are only in the stack's own event.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from deployer.progress import Cause
from deployer.remedies import remedy
from deployer.states import StackEvent

_BEGINNINGS = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
)
_ROLLBACKS = frozenset({"ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"})
_CONSEQUENCE = re.compile(r"cancell?ed", re.IGNORECASE)
_SUMMARY = re.compile(r"The following (resource|hook)\(s\) failed|User Initiated|^Requested by user$")
_REFUSED = re.compile(r"Delete canceled|cannot be deleted as it is in use")
_HANDLER = re.compile(
    r'Resource handler returned message: "(?P<said>.*)" \((?P<rest>[^()]*)\)\.?$', re.DOTALL
)
_TAKEN = re.compile(r"already (exists|scheduled)|AlreadyExists", re.IGNORECASE)
_CODE = re.compile(r"HandlerErrorCode: (\w+)")
_HOOKS = re.compile(r"The following hook\(s\) failed: \[([^\]]*)\]")
HOOK_REFUSALS = frozenset({"HOOK_COMPLETE_FAILED", "HOOK_FAILED"})
"""CloudFormation API Reference, StackEvent, HookStatus."""
HOOK_REMEDY = (
    "change what it names, or talk to whoever runs the account's Hooks; then run the same command again"
)
SERVICE = "AWS::ECS::Service"


def operation(events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """Return the events of the newest operation of a stack; *events* are oldest first."""
    starts = [index for index, event in enumerate(events) if event.is_stack and event.status in _BEGINNINGS]
    return tuple(events[starts[-1] :]) if starts else tuple(events)


def first_cause(events: Sequence[StackEvent]) -> Cause | None:
    """Return the first failure that is not a consequence of another; *events* are oldest first."""
    if events and events[-1].is_stack and _REFUSED.search(events[-1].reason):
        return _cause(events[-1])  # the deletion never began: earlier failures are unrelated
    failed = [event for event in events if event.status.endswith("_FAILED") and not event.is_stack]
    real = [event for event in failed if not _CONSEQUENCE.search(event.reason)]
    told = [event for event in real if event.reason]
    whole = [event for event in events if event.is_stack and _is_cause(event)]
    first = next(iter([*told, *whole, *real]), None)
    if first is None:
        return _of_hooks([event for event in events if event.is_stack], events)
    return _of_hooks([first], events) or _with_rollback(_cause(first), first, events)


def _of_hooks(failed: Sequence[StackEvent], events: Sequence[StackEvent]) -> Cause | None:
    """Return the messages of the Hooks that *failed* names; CloudFormation reports them in other events."""
    for event in failed:
        found = _HOOKS.search(event.reason)
        names = found[1].split(", ") if found else ()
        said = [
            one
            for one in events
            if one.hook in names and one.hook_status in HOOK_REFUSALS and one.logical_id == event.logical_id
        ]
        if said:
            words = "; ".join(dict.fromkeys(hook_words(one.hook, one.hook_reason) for one in said))
            return Cause(event.logical_id, event.type, event.status, words, HOOK_REMEDY)
    return None


def hook_words(name: str, reason: str) -> str:
    """Return the refusals of the Hook called *name*."""
    return f"the Hook {name} rejected it: {reason.strip() or 'it gives no reason'}"


def stuck(events: Sequence[StackEvent]) -> tuple[str, ...]:
    """
    Return the resources that the last rollback itself failed at; *events* are oldest first.

    Only these can be skipped when it continues, not those cancelled as a consequence (CloudFormation API
    Reference, ContinueUpdateRollback, ResourcesToSkip).
    """
    begun = [index for index, event in enumerate(events) if event.is_stack and event.status in _ROLLBACKS]
    later = events[begun[-1] :] if begun else ()
    failed = (one for one in later if one.status == "UPDATE_FAILED" and not one.is_stack)
    return tuple(sorted({one.logical_id for one in failed if not _CONSEQUENCE.search(one.reason)}))


def way_out(command: str, stuck_at: Sequence[str]) -> str:
    """Return the remedy for a rollback that failed at *stuck_at*; *command* deploys the environment."""
    skips = " ".join(f"--skip-in-rollback {name}" for name in stuck_at)
    return f"fix {', '.join(stuck_at)} and deploy again, or skip it: `{command} {skips}`"


def readable(reason: str) -> str:
    """Return what a resource handler said, without the request's token; its error code is kept."""
    found = _HANDLER.search(reason)
    if found is None:
        return reason
    code = _CODE.search(found["rest"])
    said = found["said"].strip()
    return f"{said} ({code.group(1)})" if code else said


def service_of(events: Sequence[StackEvent]) -> StackEvent | None:
    """Return the last event of an ECS service with a physical id that has failed or is in progress."""
    latest: dict[str, StackEvent] = {}
    for event in events:
        if event.type == SERVICE and event.physical_id:
            latest[event.logical_id] = event
    ended = (one for one in latest.values() if not one.status.endswith("_COMPLETE"))
    return next(ended, None) or next(iter(latest.values()), None)


def with_detail(cause: Cause, details: Sequence[str]) -> Cause:
    """Return *cause* with the service's own message; the remedy is for the more specific of both."""
    if not details:
        return cause
    more = "; ".join(details)
    return replace(cause, reason=f"{cause.reason}; {more}", remedy=remedy(more, cause.type) or cause.remedy)


def with_name(cause: Cause, name: str) -> Cause:
    """Return *cause* with the resource's *name*, if it is about the name and lacks it."""
    if not name or name in cause.reason or not _TAKEN.search(cause.reason):
        return cause
    return replace(cause, reason=f"{cause.reason} (its name: {name})")


def _is_cause(event: StackEvent) -> bool:
    ends = event.status.endswith("_FAILED") or event.status in _ROLLBACKS
    return ends and bool(event.reason) and not _SUMMARY.search(event.reason)


def _cause(event: StackEvent) -> Cause:
    reason = readable(event.reason) or "AWS gives no reason"
    return Cause(event.logical_id, event.type, event.status, reason, remedy(event.reason, event.type))


def _with_rollback(cause: Cause, first: StackEvent, events: Sequence[StackEvent]) -> Cause:
    """Add why the rollback failed as well, where it did."""
    begun = [index for index, event in enumerate(events) if event.is_stack and event.status in _ROLLBACKS]
    stuck = any(event.is_stack and event.status.endswith("ROLLBACK_FAILED") for event in events)
    later = events[begun[0] :] if begun and stuck else ()
    real = [
        event
        for event in later
        if event.status.endswith("_FAILED") and not event.is_stack and not _CONSEQUENCE.search(event.reason)
    ]
    if not real or real[0] is first:
        return cause
    why = f"its rollback failed at {real[0].logical_id}: {readable(real[0].reason) or 'no reason'}"
    return replace(cause, reason=f"{cause.reason}; {why}")
