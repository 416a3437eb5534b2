"""What a run reports, as frozen data: events while it runs, a `Result` at its end. Renders nothing."""

from __future__ import annotations

import shlex
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
    """CloudFormation's own word as last observed; empty for a stack that does not exist."""
    seconds: float
    reason: str = ""
    cause: Cause | None = None
    kept: tuple[Kept, ...] = ()
    """Destroy: what the template keeps (retained, or in a final snapshot)."""
    allow: str = ""
    """The options that the command was refused for lack of."""

    @property
    def why(self) -> str:
        """Why it ended so: the first cause, else the reason; empty where neither is known."""
        return str(self.cause) if self.cause else self.reason


@dataclass(frozen=True)
class StackOutput:
    """One output of one stack at the end of a run."""

    stack: str
    key: str
    value: str
    export: str | None = None
    description: str = ""


def outputs_of(name: str, state: StackState | None) -> tuple[StackOutput, ...]:
    """Return the outputs of the live stack with the short name *name*; a missing stack has none."""
    outputs = state.outputs if state else ()
    return tuple(StackOutput(name, each.key, each.value, each.export, each.description) for each in outputs)


NOT_PLANNED = ("--on-failure", "--skip-in-rollback")
"""Options of a deployment that `plan` does not take."""
OF_A_PLAN = ("--only", "--revert-drift")
"""Those that a saved plan has decided, so that its deployment does not take them."""
IN_A_PLAN = ("--allow-replace", "--migrate-exports")
"""Consents that a saved plan was made with, so that its deployment need not be given them again."""


def again(verb: str, called: str, *flags: str) -> str:
    """Return the command ``gatestack VERB CALLED FLAGS`` as messages name it, what is in *flags* once."""
    return " ".join(["gatestack", verb, called, *dict.fromkeys(flags)])


def with_command(deploy: str, command: str) -> str:
    """Return *deploy*, which takes consents, and after it the run's own *command*, which takes none."""
    return f"{deploy} && {command}" if command else deploy


def execution(called: str, path: str, *flags: str) -> str:
    """Return the command that executes the plan saved to *path*, with those of *flags* that it takes."""
    taken = (one for one in flags if not one.startswith(OF_A_PLAN))
    return again("deploy", called, f"--plan {shlex.quote(path)}", *taken)


def first_execution(called: str, path: str, *flags: str) -> str:
    """Return the same of a plan that was just made with *flags*, most of which it holds."""
    return execution(called, path, *(one for one in flags if not one.startswith(IN_A_PLAN)))


@dataclass(frozen=True)
class Result:
    """How a whole run ended: the final states of the stacks, not what a failed poll missed."""

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
    """The command that resumes the run, if it is not one on an environment."""
    flags: tuple[str, ...] = ()
    """The options that the run was given, as a command says them again: ``--only alb``."""

    @property
    def called(self) -> str:
        """The environment as further commands name it."""
        return self.env or self.environment

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 4 protected change, 5 still in progress or state unknown, 130 interrupted."""
        outcomes = {stack.outcome for stack in self.stacks}
        if self.interrupted:
            return 130
        codes = {"failed": 1, "going-on": 5, "protected": 4, "interrupted": 130, "skipped": 1}
        return next((code for outcome, code in codes.items() if outcome in outcomes), 0)

    @property
    def resume(self) -> str:
        """The command that resumes the run: the same one, unless its plan is used up by a failure."""
        return self.command or self.allowed()

    def allowed(self, *flags: str) -> str:
        """Return the command that does the run again with *flags* beside the options that it was given."""
        if self.needs_plan:
            kept = (one for one in self.flags if not one.startswith(NOT_PLANNED))
            return again("plan", self.called, f"--save {shlex.quote(self.plan)}", *kept, *flags)
        if self.plan:
            return execution(self.called, self.plan, *self.flags, *flags)
        return with_command(again(self.goal, self.called, *self.flags, *flags), self.command)

    @property
    def needs_plan(self) -> bool:
        """Whether the plan that was executed is used up, so that another one is made first."""
        return bool(self.plan) and any(stack.outcome in {"failed", "protected"} for stack in self.stacks)


@dataclass(frozen=True)
class RunStarted:
    """The order is known and nothing was changed."""

    environment: str
    goal: Doing
    waves: tuple[tuple[str, ...], ...]
    """Short names, in the order in which they may start."""
    stack_names: Mapping[str, str]
    resources: Mapping[str, int]
    """How many resources each template has, by short name: the total of a progress bar."""


@dataclass(frozen=True)
class StackDecided:
    """The next action for a stack, and why. Sent when it changes, not at every poll."""

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
    """Seconds that this usually takes; 0 if unknown."""


@dataclass(frozen=True)
class StackExpected:
    """How long the operation on a stack will take, by what its events tell of those before."""

    stack: str
    seconds: float
    """From its beginning to its end."""


@dataclass(frozen=True)
class ResourceEvent:
    """An event of a resource, or of the stack itself."""

    stack: str
    event: StackEvent


@dataclass(frozen=True)
class Waiting:
    """Why a stack waits."""

    stack: str
    reason: str


@dataclass(frozen=True)
class StackFinished:
    """A stack has its result."""

    result: StackResult


@dataclass(frozen=True)
class Step:
    """A command that somebody runs next, and what it is for."""

    what: str
    command: str


@dataclass(frozen=True)
class Notice:
    """Something a person should read; *warning* when it may need doing something."""

    text: str
    stack: str | None = None
    warning: bool = False


@dataclass(frozen=True)
class Owed:
    """What a run leaves to a person to do: reported with its notice, and again at the end."""

    text: str
    steps: tuple[Step, ...]
    stack: str | None = None


@dataclass(frozen=True)
class Stopping:
    """A signal was taken: nothing new is started."""

    running: tuple[str, ...] = field(default=())
    """Short names of the stacks that AWS continues."""
    leaving: bool = False
    """Whether the run ends now (second signal) instead of watching them to their end."""


Event = (
    RunStarted
    | StackDecided
    | StackStarted
    | StackExpected
    | ResourceEvent
    | Waiting
    | StackFinished
    | Notice
    | Owed
    | Stopping
)
Tell = Callable[[Event], None]
