"""Failures that tests inject: into calls, resources, and reads. The randomness is seeded."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeVar

from sandbox.availability import zones_of

EMPTY = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
CallKind = Literal["throttle", "error", "drop-before", "drop-after", "expired", "refused", "page"]
"""``refused``: with the fault's own code and message; ``page``: an HTML page where an answer should be."""
Operation = Literal["create", "update", "delete", "detect", "any"]
"""``any``: whichever of the first three comes next."""
EVERYWHERE = frozenset({"throttle", "drop-before", "drop-after", "expired"})
"""The kinds that apply to services other than CloudFormation too."""


@dataclass
class CallFault:
    """
    A share of the calls of an action goes wrong; `times` limits how many, None is for ever.

    With the service ``*`` that is the calls of every service, but those of functions, which have a login of
    their own.
    """

    kind: CallKind
    action: str = "*"
    share: float = 1.0
    times: int | None = None
    code: str = "ValidationError"
    message: str = ""
    status: int = 400
    service: Literal["cloudformation", "*"] = "cloudformation"

    def __post_init__(self) -> None:
        """Raise ValueError for an impossible response."""
        if self.service == "*" and self.kind not in EVERYWHERE:
            raise ValueError(f"{self.kind} is a fault of CloudFormation's calls alone")


@dataclass
class Rate:
    """A token bucket: so many calls of an action a virtual second, `burst` at once; more are throttled."""

    action: str
    per_second: float
    burst: float
    tokens: float = field(default=-1.0)
    filled: float = 0.0

    def take(self, now: float) -> bool:
        """Take a token, if there is one left."""
        if self.tokens < 0:
            self.tokens, self.filled = self.burst, now
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.per_second)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class ResourceFault:
    """
    Resources that match fail with `reason` at the end of their time; without one they take `seconds` longer.

    Empty `logical_id`, `type` and `stack` match all of them. `times` limits how often, None is for ever.
    With `hook`, the name of a Hook's type, that Hook says `reason` before anything is done to the resource:
    it refuses, or only warns where its `hook_mode` is WARN.
    """

    operation: Operation
    logical_id: str = ""
    type: str = ""
    stack: str = ""
    reason: str | None = None
    seconds: float = 0.0
    times: int | None = 1
    hook: str = ""
    hook_mode: Literal["FAIL", "WARN"] = "FAIL"

    def matches(self, operation: str, logical_id: str, type_: str, stack: str) -> bool:
        """Whether this fault is for that resource and is not used up."""
        wanted = (self.logical_id, self.type, self.stack)
        fits = all(w in ("", is_) for w, is_ in zip(wanted, (logical_id, type_, stack), strict=True))
        meant = operation == self.operation or (self.operation == "any" and operation != "detect")
        return fits and meant and self.times != 0

    def count(self) -> None:
        """Count one more occurrence."""
        self.times = self.times and self.times - 1


@dataclass
class TaskFault:
    """The next one-off tasks of a task definition's family end with this exit code."""

    family: str
    exit_code: int = 1
    times: int | None = 1


@dataclass
class RolloutFault:
    """The next deployments of a service fail: their tasks exit, and the circuit breaker rolls back."""

    service: str
    times: int | None = 1


@dataclass
class StepFault:
    """A function fails at a step of a rotation, e.g. setSecret, before its code runs."""

    function: str
    step: str
    times: int | None = 1


@dataclass
class DiskFault:
    """The disk of a DB instance is nearly full at its next request: RDS grows it."""

    database: str
    times: int | None = 1


@dataclass
class Behaviour:
    """Variations of the real service's behaviour."""

    stale_reads: float = 0.0  # virtual seconds that stack statuses lag behind
    hidden_change_sets: float = 0.0  # virtual seconds that a new change set cannot be seen
    missing_import: Literal["warn", "fail"] = "warn"  # the result of a change set with a missing export
    exporter_deletion: Literal["stay", "event", "fail"] = "stay"
    """A deletion that an import prevents: reason on the stack, in an event alone, or the status too."""
    interfaces_linger: float = 0.0
    """
    Virtual seconds that a function's network interfaces remain after it; they block the deletion of subnets.
    """
    logs_return: float = 0.0
    """Virtual seconds after which a log group that RDS or Lambda writes to exists again, without tags."""
    empty_reason: str = EMPTY
    tag_delay: float = 300.0  # virtual seconds until a KMS key's tags count in policies
    express: bool = True
    """Whether CloudFormation knows DeploymentConfig; it ignores unknown parameters."""
    sessions_end: bool = False
    """Whether sessions of roles expire by this clock: at its usual speed after a moment."""
    lacks: Sequence[str] = ()  # actions and parameters that this endpoint does not know, as older ones do not
    zones: Sequence[Mapping[str, Any]] = ()
    """The account's availability zones, by the fields of `sandbox.availability`; none: moto's."""


Fault = CallFault | Rate | ResourceFault | TaskFault | RolloutFault | StepFault | DiskFault
_Counted = TypeVar("_Counted", TaskFault, RolloutFault, StepFault, DiskFault)


class Faults:
    """All active faults."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._random = random.Random(seed)  # noqa: S311 - reproducible failures, no secret
        self.calls: list[CallFault] = []
        self.rates: list[Rate] = []
        self.resources: list[ResourceFault] = []
        self.tasks: list[TaskFault] = []
        self.rollouts: list[RolloutFault] = []
        self.steps: list[StepFault] = []
        self.disks: list[DiskFault] = []
        self.behaviour = Behaviour()

    def clear(self) -> None:
        """Remove all faults, and reset the random generator."""
        self._random.seed(self.seed)
        self.calls, self.rates, self.resources = [], [], []
        self.tasks, self.rollouts, self.steps, self.disks = [], [], [], []
        self.behaviour = Behaviour()

    def add(self, settings: Mapping[str, Any]) -> None:
        """
        Add faults from JSON: a list by kind (`calls`, `tasks` …), and `behaviour`; raises ValueError.

        Faults of every service replace earlier ones of the same kind.
        """
        try:
            calls = [CallFault(**each) for each in settings.get("calls", ())]
            rates = [Rate(**each) for each in settings.get("rates", ())]
            resources = [ResourceFault(**each) for each in settings.get("resources", ())]
            tasks = [TaskFault(**each) for each in settings.get("tasks", ())]
            rollouts = [RolloutFault(**each) for each in settings.get("rollouts", ())]
            steps = [StepFault(**each) for each in settings.get("steps", ())]
            disks = [DiskFault(**each) for each in settings.get("disks", ())]
            behaviour = Behaviour(**{**asdict(self.behaviour), **settings.get("behaviour", {})})
            zones_of(behaviour.zones)
        except TypeError as error:
            raise ValueError(f"not a fault: {error}") from error
        anew = {call.kind for call in calls if call.service == "*"}
        self.calls = [one for one in self.calls if one.service != "*" or one.kind not in anew] + calls
        self.rates += rates
        self.resources += resources
        self.tasks += tasks
        self.rollouts += rollouts
        self.steps += steps
        self.disks += disks
        self.behaviour = behaviour

    def described(self) -> dict[str, Any]:
        """Return the active faults, as JSON values."""
        listed: dict[str, Sequence[Fault]] = {
            "calls": self.calls,
            "rates": self.rates,
            "resources": self.resources,
            "tasks": self.tasks,
            "rollouts": self.rollouts,
            "steps": self.steps,
            "disks": self.disks,
        }
        described = {name: [asdict(each) for each in those] for name, those in listed.items()}
        return {"seed": self.seed, "behaviour": asdict(self.behaviour), **described}

    def of_call(self, action: str, now: float) -> CallFault | None:
        """Return the fault of this call of CloudFormation, and count it."""
        if not all(rate.take(now) for rate in self.rates if rate.action in ("*", action)):
            return CallFault("throttle", action)
        return self._spoilt(self.calls, action)

    def of_service(self) -> CallFault | None:
        """Return the fault of this call of another service, and count it."""
        return self._spoilt([fault for fault in self.calls if fault.service == "*"], "")

    def _spoilt(self, faults: Sequence[CallFault], action: str) -> CallFault | None:
        for fault in faults:
            if fault.action in ("*", action) and fault.times != 0 and self._random.random() < fault.share:
                fault.times = fault.times and fault.times - 1
                return fault
        return None

    def of_resource(
        self, operation: Operation, logical_id: str, type_: str, stack: str
    ) -> ResourceFault | None:
        """Return the first fault for this resource, delayed by the first delay if it fails; counts both."""
        there = [fault for fault in self.resources if fault.matches(operation, logical_id, type_, stack)]
        failing = next((fault for fault in there if fault.reason is not None), None)
        slow = next((fault for fault in there if fault.reason is None), None)
        for fault in filter(None, (failing, slow)):
            fault.count()
        if failing and slow:
            return replace(failing, seconds=failing.seconds + slow.seconds)
        return failing or slow

    def of_task(self, family: str) -> TaskFault | None:
        """Return the fault of a one-off task of *family*, and count it."""
        return _counted(self.tasks, lambda fault: fault.family == family)

    def of_rollout(self, service: str) -> bool:
        """Whether the deployment of *service* that begins now fails; counts it."""
        return _counted(self.rollouts, lambda fault: fault.service == service) is not None

    def of_disk(self, database: str) -> bool:
        """Whether the disk of *database* is nearly full; counts it."""
        return _counted(self.disks, lambda fault: fault.database == database) is not None

    def of_steps(self, function: str, steps: Sequence[str]) -> list[str]:
        """Return which of the next *steps* of *function* fail, and count them."""

        def fits(step: str) -> Callable[[StepFault], bool]:
            return lambda fault: (fault.function, fault.step) == (function, step)

        return [step for step in steps if _counted(self.steps, fits(step))]


def _counted(faults: Sequence[_Counted], fits: Callable[[_Counted], bool]) -> _Counted | None:
    for fault in faults:
        if fits(fault) and fault.times != 0:
            fault.times = fault.times and fault.times - 1
            return fault
    return None
