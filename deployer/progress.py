"""What a run says, as frozen data: events while it goes on, a `Result` at its end. Renders nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from deployer.kept import Kept
from deployer.states import StackEvent, StackState

Goal = Literal["deploy", "destroy"]
Doing = Goal | Literal["watch"]
Verb = Literal["create", "update", "none", "delete", "recreate", "skipped"]
Outcome = Literal["done", "failed", "protected", "skipped", "going-on", "interrupted"]
"""``going-on``: what AWS does had no end that was seen (time limit, lost sight, left by a second Ctrl-C)."""


@dataclass(frozen=True)
class Cause:
    """The first real cause of a failure."""

    logical_id: str
    type: str
    status: str
    reason: str
    remedy: str = ""
    """What to do about it, for causes that are known."""

    def __str__(self) -> str:
        where = f"{self.logical_id} ({self.type}): " if self.logical_id else ""
        return f"{where}{self.reason}" + (f" -> {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class StackResult:
    """How one stack ended."""

    name: str
    """Short name: ``network``."""
    stack_name: str
    action: Verb
    outcome: Outcome
    status: str
    """CloudFormation's own word as it was seen last; empty for a stack that is not there."""
    seconds: float
    reason: str = ""
    cause: Cause | None = None
    kept: tuple[Kept, ...] = ()
    """Destroy: what the template keeps (retained, or in a final snapshot)."""
    consents: tuple[str, ...] = ()
    """Options that allow what was refused: ``--migrate-exports``."""


@dataclass(frozen=True)
class StackOutput:
    """One output of one stack at the end of a run."""

    stack: str
    key: str
    value: str
    export: str | None = None
    description: str = ""


def outputs_of(name: str, state: StackState | None) -> tuple[StackOutput, ...]:
    """Return the outputs of the live stack with the short name *name*; a stack that is not there has none."""
    outputs = state.outputs if state else ()
    return tuple(StackOutput(name, each.key, each.value, each.export, each.description) for each in outputs)


@dataclass(frozen=True)
class Result:
    """How a whole run ended: what the stacks said at the end, never what a poll failed to see."""

    environment: str
    goal: Doing
    stacks: tuple[StackResult, ...]
    outputs: tuple[StackOutput, ...] = ()
    seconds: float = 0.0
    interrupted: bool = False
    plan: str = ""
    """The file of the plan that was executed."""
    env: str = ""
    """What the user calls the environment in a command, where that is not its name."""
    command: str = ""
    """What takes the run up again, where that is no command on an environment."""

    given: tuple[str, ...] = ()
    """Options of consent that the run was started with."""

    @property
    def consents(self) -> tuple[str, ...]:
        """Every option of consent that the same command needs; empty where none is missing."""
        missing = [one for stack in self.stacks for one in stack.consents]
        return tuple(dict.fromkeys((*self.given, *missing))) if missing else ()

    @property
    def called(self) -> str:
        """What a command that goes on with the environment is given."""
        return self.env or self.environment

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 4 protected change, 5 still going on or lost sight, 130 interrupted."""
        outcomes = {stack.outcome for stack in self.stacks}
        if self.interrupted:
            return 130
        codes = {"failed": 1, "going-on": 5, "protected": 4, "interrupted": 130, "skipped": 1}
        return next((code for outcome, code in codes.items() if outcome in outcomes), 0)

    @property
    def resume(self) -> str:
        """The command that takes the run up again: the same one, unless its plan is used up by a failure."""
        if self.command:
            return self.command
        if self.plan and any(stack.outcome in {"failed", "protected"} for stack in self.stacks):
            return " ".join([f"gatestack plan {self.called} --save {self.plan}", *self.consents])
        plan = f" --plan {self.plan}" if self.plan else ""
        return " ".join([f"gatestack {self.goal} {self.called}{plan}", *self.consents])


@dataclass(frozen=True)
class RunStarted:
    """The order is known and nothing has been touched."""

    environment: str
    goal: Doing
    waves: tuple[tuple[str, ...], ...]
    """Short names, in the order in which they may start."""
    stack_names: Mapping[str, str]
    resources: Mapping[str, int]
    """How many resources each template has, by short name: the total of a progress bar."""


@dataclass(frozen=True)
class StackDecided:
    """What is done about a stack next, and why. Told when it changes, not at every look."""

    stack: str
    step: str
    """A verb for people: ``prepare create``, ``execute``, ``delete``, ``wait``, …"""
    reason: str


@dataclass(frozen=True)
class StackStarted:
    """AWS has begun to work on a stack."""

    stack: str
    verb: Verb
    resources: int
    """Resources that this operation touches: the total of its progress bar."""
    expected: float = 0.0
    """Seconds that this usually takes; 0 when nobody knows."""


@dataclass(frozen=True)
class ResourceEvent:
    """CloudFormation said something about a resource, or about the stack itself."""

    stack: str
    event: StackEvent


@dataclass(frozen=True)
class Waiting:
    """Why nothing happens to a stack at the moment."""

    stack: str
    reason: str


@dataclass(frozen=True)
class StackFinished:
    """A stack has its result."""

    result: StackResult


@dataclass(frozen=True)
class Notice:
    """Something a person should read; *warning* when it may need doing something."""

    text: str
    stack: str | None = None
    warning: bool = False


@dataclass(frozen=True)
class Stopping:
    """A signal was taken: nothing new is started."""

    running: tuple[str, ...] = field(default=())
    """Short names of the stacks that AWS goes on with."""
    leaving: bool = False
    """Whether the run ends now (second signal) instead of watching them to their end."""


Event = RunStarted | StackDecided | StackStarted | ResourceEvent | Waiting | StackFinished | Notice | Stopping
Tell = Callable[[Event], None]
