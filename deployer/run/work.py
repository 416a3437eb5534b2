"""What a run knows and has done about one stack: the only mutable state of a run. Sends no requests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deployer.actions import Fail, Wait
from deployer.causes import SERVICE
from deployer.changes.approval import Approval
from deployer.cloud import Cloud
from deployer.day2.drift_state import ResourceDrift
from deployer.expected import resources_of
from deployer.history.durations import Touched
from deployer.kept import Kept
from deployer.observed import Desired, History, Observed
from deployer.options import Options
from deployer.progress import Goal, StackResult, Verb
from deployer.run.attempts import UNSEEN_LOOKS, UNSEEN_SECONDS, Attempts
from deployer.run.leftovers import tags_of_stack
from deployer.run.schema_migration import Underway
from deployer.states import ChangeSetRequest, ChangeSetState, Kind, StackEvent, StackState
from deployer.statuses import OUTPUTS_FINAL, SUCCEEDED, Step, row
from generator.manifest import Manifest, StackSpec

STALE_SECONDS = 20.0
"""How long a poll that shows no trace of a request counts as outdated."""
GONE = "GONE"
"""Our word for the execution of a change set that can no longer be read."""
PENDING = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})


@dataclass
class Work:
    """One stack of a run."""

    spec: StackSpec
    desired: Desired
    goal: Goal
    stack: StackState | None = None
    first: StackState | None = None
    """The stack as first observed."""
    change_set: ChangeSetState | None = None
    compared: str = ""
    """Id of the change set that is known to match the request."""
    base: tuple[str, ...] = ()
    """The stack's version that the change set was made for."""
    request: ChangeSetRequest | None = None
    history: History = field(default_factory=History)
    data: tuple[str, ...] | None = None
    foreign: tuple[str, ...] | None = None
    stuck: tuple[str, ...] | None = None
    """What its rollback failed at, since the last act."""
    drifted: tuple[ResourceDrift, ...] | None = None
    """What CloudFormation has found of what a rollback skipped; None: not checked."""
    kept: tuple[Kept, ...] = ()
    log_groups: tuple[str, ...] = ()
    """Names of the log groups that its deletion deletes."""
    to_import: tuple[Kept, ...] = ()
    """What an earlier stack of the name has left: imported before anything is created."""
    result: StackResult | None = None
    began: float | None = None
    since: float | None = None
    """When the present operation began: the time limit is one operation's."""
    migration: Underway | None = None
    """Of the database, before the change set is executed."""
    wait: Wait | None = None
    """What it waited for at the last poll."""
    refusal: Fail | None = None
    """Why it may not begin; held until this is known of all stacks."""
    events: list[StackEvent] = field(default_factory=list)
    """Events of the operation in progress, oldest first."""
    touched: tuple[Touched, ...] | None = None
    """What this run's operation does to the resources; None where that is not known."""
    events_mark: tuple[str, ...] | None = None
    acted_mark: tuple[str, ...] | None = None
    acted_at: float = 0.0
    looks: int = 0
    """Polls since the last action."""
    made_at: float = 0.0
    """When the change set was made."""
    asked_for: int = 0
    """How often the change set was read."""
    asked_at: float = 0.0
    recheck: bool = False
    """AWS said that the observed state is outdated."""
    approval: Approval | None = None
    """What was reviewed of it, in a run that executes a plan."""
    tries: Attempts = field(default_factory=Attempts)
    """The requests without effect so far."""
    events_at: float = 0.0
    trouble: tuple[str, ...] = ()
    """What ECS said of a service that did not become stable."""
    service_since: float | None = None
    service_asked: float = float("-inf")
    runs_tasks: bool = False
    """Whether it starts tasks, which use what it needs at once, not only its ids."""
    applied: bool = False
    """In express mode: its stack has ended, and its resources become ready."""

    @property
    def name(self) -> str:
        """The short name."""
        return self.spec.name

    @property
    def open(self) -> bool:
        """Whether there is anything left to do about it."""
        return self.result is None

    @property
    def follow(self) -> str | None:
        """The id to look for: a name could later mean another stack."""
        if self.stack is not None:
            return self.stack.id if self.stack.status != "DELETE_COMPLETE" else None
        return self.change_set.stack_id if self.change_set and self.history.executed else None

    @property
    def pending(self) -> bool:
        """Whether AWS is still creating the change set."""
        waits = self.change_set is not None and self.change_set.status in PENDING
        return waits and self.history.executed is None

    @property
    def preparing(self) -> bool:
        """Whether it is not known yet what an update would do."""
        fresh_start = self.history.change_sets <= 1 and not self.history.premature and not self.history.empty
        unknown = self.refusal is None and (self.change_set is None or self.pending)
        updates = row(self.stack.status if self.stack else None).deploy is Step.UPDATE
        going = self.open and self.goal == "deploy" and self.history.executed is None
        return going and fresh_start and unknown and updates

    @property
    def asked(self) -> bool:
        """Whether this run has started anything in AWS."""
        done = self.history
        return bool(done.executed or done.deletes or done.continues or done.rollbacks)

    @property
    def migrating(self) -> str:
        """Id of the task that migrates the database for this stack; empty while none runs."""
        one = self.migration
        return one.task_id if one is not None and one.stage == "follow" else ""

    @property
    def going(self) -> bool:
        """Whether an operation that this run has started may be in progress."""
        return self.asked or bool(self.migrating)

    @property
    def moving(self) -> bool:
        """Whether an operation is in progress, whoever started it."""
        return self.stack is not None and row(self.stack.status).deploy is Step.WAIT

    @property
    def outputs_final(self) -> bool:
        """Whether dependants may start although AWS is still cleaning up."""
        updated = self.history.executed is not None and self.history.kind != "IMPORT"
        return updated and self.stack is not None and self.stack.status in OUTPUTS_FINAL and self._fresh(0.0)

    def may_pass(self, need: Work) -> bool:
        """Whether it may begin while *need*, which it imports from, is not at its end."""
        if self.goal != "deploy":
            return False
        if need.spec.express != "never" and self.runs_tasks:
            return False
        return need.outputs_final or need.applied

    @property
    def verb(self) -> Verb:
        """What this run does to the stack, as far as that is known."""
        if self.goal == "destroy":
            return "delete"
        step = row(self.first.status if self.first else None).deploy
        verbs: Mapping[Step, Verb] = {Step.CREATE: "create", Step.RECREATE: "recreate"}
        return verbs.get(step, "update")

    def take_up(self, approval: Approval, now: float) -> None:
        """Start from the approval: its change set, or that there is nothing to change."""
        self.approval, planned, one = approval, approval.planned, approval.change_set
        kind: Kind = "CREATE" if planned.action == "create" else "UPDATE"
        if approval.executed:
            self.change_set = one
            self.history = replace(self.history, executed=planned.change_set_id, kind=kind)
        elif one is not None:
            self.change_set, self.made_at, self.compared = one, now, one.id
            self.base = self.version() if kind == "UPDATE" else ()
            self.history = replace(self.history, change_sets=1, kind=kind)
            self.request = ChangeSetRequest(
                one.stack_id, kind, one.name, "", None, None, dict(planned.parameters)
            )
        elif planned.action == "none":
            self.history = replace(self.history, change_sets=1, empty=True)

    def begin(self, now: float) -> None:
        """Start the clock of this stack, and that of its present operation, once."""
        self.began = now if self.began is None else self.began
        self.since = now if self.since is None else self.since

    def over_limit(self, now: float) -> bool:
        """Whether the present operation takes longer than the stack's time limit."""
        return self.since is not None and now - self.since > self.spec.timeout_minutes * 60

    def unseen(self, now: float) -> bool:
        """Whether the stack has shown no trace of an accepted request for a long time."""
        long = now - self.acted_at > UNSEEN_SECONDS and self.looks > UNSEEN_LOOKS
        if not self.asked or not long:
            return False
        if self.stack is None or self.stack.status == "REVIEW_IN_PROGRESS":
            return True
        return not self.stack.status.endswith("_IN_PROGRESS") and not self._fresh(now)

    def seconds(self, now: float) -> float:
        """Return how long this stack has taken so far."""
        return 0.0 if self.began is None else now - self.began

    def version(self) -> tuple[str, ...]:
        """Return what differs after every operation on the stack, and not in the middle of one."""
        if self.stack is None:
            return ()
        return (self.stack.id, str(self.stack.last_updated), self.stack.change_set_id or "")

    def seen(self, stack: StackState | None) -> bool:
        """Record what a poll has shown; returns whether it is new."""
        before = self.stack.mark if self.stack else None
        if stack is None and self.history.executed and not self.history.deletes:
            return False
        self.stack = stack
        self.looks += 1
        one = self.change_set
        if stack and one and stack.change_set_id == one.id and stack.status != "REVIEW_IN_PROGRESS":
            self.recheck = self.recheck or self.history.executed is None
        return before != (stack.mark if stack else None)

    def acted(self, now: float, **done: Any) -> None:
        """Record an action and its response; a later poll counts only once it differs."""
        self.history = replace(self.history, **done)
        self.acted_mark = self.stack.mark if self.stack else ()
        self.acted_at, self.looks, self.since = now, 0, now
        self.events, self.events_mark, self.stuck, self.touched = [], None, None, None
        self.trouble, self.service_since, self.service_asked = (), None, float("-inf")

    def told(self, found: ChangeSetState) -> bool:
        """Record the state of the change set, which may be executed already; returns whether it is new."""
        before, self.change_set, self.recheck = self.change_set, found, False
        if found.execution in {"EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE"} and not self.history.executed:
            self.history = replace(self.history, executed=found.id)
        return before is None or (before.status, before.execution) != (found.status, found.execution)

    def forget_change_set(self) -> None:
        """Have the next change set created again."""
        self.change_set = self.request = None

    def begin_update(self) -> None:
        """Continue after an import: an update creates what is missing."""
        self.forget_change_set()
        self.history = replace(self.history, executed=None, kind="UPDATE", imported=True)

    def observed(self, hold: str, now: float, *, early: bool = False, moving: bool = False) -> Observed:
        """Return what `decide` needs; *early*, *moving*: the state of what the stack needs."""
        moved = self.stack is not None and self.base not in {(), self.version()}
        return Observed(
            stack=self.stack,
            change_set=self.change_set,
            compared=self.change_set is not None and self.compared == self.change_set.id,
            outdated=moved and self.history.executed is None,
            fresh=self._fresh(now),
            hold=hold,
            early=early,
            moving=moving,
            data=self.data,
            foreign=self.foreign,
            stuck=self.stuck,
            existed=self.first is not None and self.first.status != "DELETE_COMPLETE",
            history=self.history,
        )

    def doubtful(self, now: float) -> bool:
        """Whether to check by the change set if it was executed: the stack alone does not prove it."""
        still = self.stack is not None and not self.stack.status.endswith("_IN_PROGRESS")
        executed = self.history.executed is not None and self.acted_mark is not None
        return executed and not self._fresh(now) and (still or self.looks >= 2)

    def _fresh(self, now: float) -> bool:
        """Whether the observed state is newer than the last act; a poll can be some seconds behind."""
        if self.acted_mark is None:
            return True
        expired = now - self.acted_at > STALE_SECONDS and self.looks > 2
        if self.history.executed is None:
            return expired or self.acted_mark != (self.stack.mark if self.stack else ())
        return self.stack is not None and self._shows(self.stack, self.history.executed, expired=expired)

    def _shows(self, stack: StackState, executed: str, *, expired: bool) -> bool:
        """
        Whether *stack* shows the execution of a change set.

        It has to name the change set, or where it does not to differ from before. The end of an update looks
        like the end of the one before, so the change set has to say the same, or to be gone.
        """
        execution = self.change_set.execution if self.change_set else GONE
        named = stack.change_set_id in {executed, None}
        if stack.mark == self.acted_mark or (expired and not named):
            return expired and execution in {"EXECUTE_COMPLETE", "EXECUTE_FAILED", GONE}
        if stack.status.endswith("_IN_PROGRESS") or self.history.kind != "UPDATE":
            return named
        agrees = "EXECUTE_COMPLETE" if stack.status in SUCCEEDED else "EXECUTE_FAILED"
        return execution == agrees or (named and (execution == GONE or expired))


def pick(work: Work, states: Collection[StackState]) -> StackState | None:
    """Return the state of *work*'s stack: the one it follows, else the live one of its name."""
    own = [state for state in states if state.id == work.follow]
    named = [state for state in states if state.name == work.spec.stack_name]
    alive = [state for state in named if state.status != "DELETE_COMPLETE"]
    if own and (own[0].status != "DELETE_COMPLETE" or not alive):
        return own[0]
    return next(iter(alive or named), None)


def made_now(works: Iterable[Work], export: str) -> bool:
    """Whether one of *works* exports *export* and its stack did not exist before this run."""
    made = (work.stack for work in works if work.verb != "update")
    return any(output.export == export for stack in made if stack for output in stack.outputs)


def value_of(works: Iterable[Work], cloud: Cloud, export: str) -> str | None:
    """Return the value of *export*: of a stack of this run, else of the region; may raise CloudError."""
    for work in works:
        for output in work.stack.outputs if work.stack else ():
            if output.export == export:
                return output.value
    return next((one.value for one in cloud.exports() if one.name == export), None)


def work_for(manifest: Manifest, spec: StackSpec, goal: Goal, options: Options) -> Work:
    """Return a run's work on the stack of *spec*, of which nothing is known yet."""
    desired = Desired(
        stack_name=spec.stack_name,
        tags=tags_of_stack(manifest, spec),
        termination_protection=spec.termination_protection,
        allow_replace=options.allow_replace,
        force=options.force,
        skip_in_rollback=options.skip_in_rollback,
        env=options.env or manifest.environment,
        flags=replace(options, skip_in_rollback=frozenset()).flags,
    )
    services = any(one["Type"] == SERVICE for one in resources_of(spec.template).values())
    return Work(spec, desired, goal, runs_tasks=services or spec.migration is not None)
