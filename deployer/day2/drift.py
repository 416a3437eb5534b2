"""
Drift of an environment: detection of all stacks in parallel, then the differences by property.

Read-only. What cannot be checked is reported as such, never as in sync.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from deployer.cloud import Cloud
from deployer.day2 import shifted
from deployer.day2.drift_state import Drift, ResourceDrift, StackDrift, Verdict
from deployer.day2.owned import moved
from deployer.errors import CloudError, LostSight, Transient
from deployer.options import Host
from deployer.run.polling_interval import PollingInterval
from deployer.states import StackState

PATIENCE_SECONDS = 900.0
"""How long a detection may take; AWS says "several minutes"."""
CHECKABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
"""AWS docs, "Detect drift on an entire CloudFormation stack", and the statuses that imports end in."""
PARAMETER = "AWS::SSM::Parameter"
NOT_THERE = frozenset({"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"})


@dataclass
class _Check:
    """One stack being checked."""

    name: str
    stack_name: str
    stack: StackState | None
    detection: str | None = None
    result: StackDrift | None = None
    began: float = field(default=0.0)

    @property
    def open(self) -> bool:
        return self.result is None

    def end(self, verdict: Verdict, reason: str = "") -> None:
        self.result = StackDrift(self.name, self.stack_name, verdict, reason=reason)


def detect(
    environment: str, names: Mapping[str, str], cloud: Cloud, host: Host, *, poll_interval: float | None
) -> Drift:
    """
    Return the drift of the stacks *names* (short name -> CloudFormation's name).

    Raises:
        CloudError: AWS could not be asked at all.
        LostSight: the login is over.

    """
    live = {state.name: state for state in cloud.stacks(list(names.values()))}
    checks = [_Check(name, stack, live.get(stack), began=host.clock()) for name, stack in names.items()]
    interval = PollingInterval(poll_interval, host.clock())
    while not host.stop():
        for check in checks:
            if check.open:
                _step(check, cloud, host.clock(), interval)
        if not any(check.open for check in checks):
            break
        host.sleep(interval.pause(host.clock()))
    for check in checks:
        if check.open:
            check.end("failed", "interrupted before drift detection finished; AWS continues")
    results = tuple(check.result for check in checks if check.result)
    return Drift(environment, results, interrupted=bool(host.stop()))


def without_own(found: Drift, is_own: Callable[[str], bool]) -> Drift:
    """
    Return *found* without what gatestack itself has set since: values of SSM parameters, by `config set`.

    *is_own*: whether gatestack wrote the current value of the parameter of that name. Nothing else that
    gatestack does differs from the templates: another image goes through CloudFormation, and a secret's value
    is in no template.
    """
    return replace(found, stacks=tuple(_without_own(stack, is_own) for stack in found.stacks))


def with_patches(found: Drift, patched: Mapping[tuple[str, str], str]) -> Drift:
    """Return *found* with marks of patched resources; *patched*: stack and logical id -> where and why."""
    stacks = tuple(
        replace(
            stack,
            resources=tuple(
                replace(one, patched=patched.get((stack.name, one.logical_id), "")) for one in stack.resources
            ),
        )
        for stack in found.stacks
    )
    return replace(found, stacks=stacks)


def _without_own(stack: StackDrift, is_own: Callable[[str], bool]) -> StackDrift:
    own = [one for one in stack.resources if _is_a_value(one) and is_own(one.physical_id)]
    if not own:
        return stack
    left = tuple(one for one in stack.resources if one not in own)
    names = ", ".join(one.physical_id for one in own)
    said = "; ".join(filter(None, [stack.reason, f"{names} set by `gatestack config set`"]))
    still = any(one.status in {"MODIFIED", "DELETED"} for one in left)
    verdict: Verdict = "in sync" if stack.verdict == "drifted" and not still else stack.verdict
    return replace(stack, verdict=verdict, resources=left, reason=said)


def _is_a_value(one: ResourceDrift) -> bool:
    """Whether a parameter has another value, and nothing else about it differs."""
    paths = {each.path for each in one.properties}
    return one.type == PARAMETER and one.status == "MODIFIED" and paths == {"/Value"}


def notes(found: Drift) -> tuple[str, ...]:
    """Return a plan's notes on drift, a line for each stack that is not simply in sync."""
    lines = []
    for stack in found.stacks:
        names = ", ".join(f"{one.logical_id} ({one.status})" for one in stack.resources)
        count = len(stack.resources)
        if stack.verdict == "drifted":
            many = "1 resource has" if count == 1 else f"{count} resources have"
            lines.append(f"{stack.stack_name}: {many} drifted: {names}; deploy --revert-drift reverts them")
        elif stack.verdict in {"failed", "busy"}:
            lines.append(f"{stack.stack_name}: drift is not known: {stack.reason}")
    return tuple(lines)


def _step(check: _Check, cloud: Cloud, now: float, interval: PollingInterval) -> None:
    """Advance one check as far as it goes without waiting."""
    try:
        _advance(check, cloud, now)
        interval.relaxed()
    except LostSight:
        raise
    except Transient as error:
        interval.strained()
        if now - check.began > PATIENCE_SECONDS:
            check.end("failed", str(error))
    except CloudError as error:
        check.end("failed", str(error))


def _advance(check: _Check, cloud: Cloud, now: float) -> None:
    stack = check.stack
    if stack is None or stack.status in NOT_THERE:
        check.end("not there")
    elif stack.status not in CHECKABLE:
        going = stack.status.endswith("_PROGRESS")
        again = "check again when it has finished" if going else "deploy it"
        check.end("busy", f"it is in {stack.status}, where AWS detects no drift: {again}")
    elif check.detection is None:
        check.detection = cloud.detect_drift(stack.id)
    else:
        _read(check, check.detection, stack.id, cloud, now)


def _read(check: _Check, detection: str, stack_id: str, cloud: Cloud, now: float) -> None:
    found = cloud.drift_detection(detection)
    if found.running:
        if now - check.began > PATIENCE_SECONDS:
            check.end("failed", f"drift detection did not finish within {PATIENCE_SECONDS / 60:.0f} minutes")
        return
    left, said = _without_shifts(cloud.resource_drifts(stack_id), stack_id, cloud)
    looked = [moved(one) for one in left]
    resources = tuple(one for one, _ in looked if one is not None)
    drifted = any(one.status in {"MODIFIED", "DELETED"} for one in resources)
    verdict: Verdict = "failed" if found.failed else "drifted" if drifted else "in sync"
    reasons = [found.reason, *said, *(text for _, texts in looked for text in texts)]
    check.result = StackDrift(
        check.name, check.stack_name, verdict, resources, "; ".join(filter(None, reasons))
    )


def _without_shifts(
    found: tuple[ResourceDrift, ...], stack_id: str, cloud: Cloud
) -> tuple[tuple[ResourceDrift, ...], list[str]]:
    """Return *found* without ECS's changes to listener rules, and a text for each of these."""
    there = cloud.resources(stack_id) if shifted.maybe(found) else ()
    own = [one for one in found if shifted.is_shifted(one, there)]
    left = tuple(one for one in found if one not in own)
    return left, [f"{one.logical_id} {shifted.SAID}" for one in own]
