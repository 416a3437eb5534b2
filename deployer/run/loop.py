"""
The loop: observe, decide, act, report, until every stack has its result. AWS works meanwhile.

One thread observes and decides; requests for several stacks are sent in parallel (`Host.workers`). The state
of a deployment is in CloudFormation alone: the same command resumes an interrupted run.
"""

from __future__ import annotations

from collections.abc import Mapping

from deployer.actions import Action, Done, Fail, Migrate, Wait
from deployer.changes.approval import Approval, held, removal
from deployer.changes.export_gate import Detour, Gate
from deployer.cloud import Cloud
from deployer.decide import decide
from deployer.errors import DeployError, LostSight, MovedOn, Protected, Refused, Transient
from deployer.expected import resources_of
from deployer.options import Host, Options
from deployer.progress import Goal, Notice, Outcome, Result, RunStarted, StackDecided, Stopping, Waiting
from deployer.readiness.awaiting import Awaiting
from deployer.run.backoff import with_backoff
from deployer.run.change_sets import Preparer
from deployer.run.concurrency import Workers
from deployer.run.executor import Executor
from deployer.run.keeping import Keeping
from deployer.run.leftovers import Scope
from deployer.run.lingering import Lingering
from deployer.run.migrating import Migrating
from deployer.run.poller import Poller
from deployer.run.polling_interval import PollingInterval
from deployer.run.result import Results
from deployer.run.returning import sweep
from deployer.run.rotations import check_rotations
from deployer.run.scheduler import Scheduler
from deployer.run.stack_events import Watch
from deployer.run.work import Work, made_now, value_of, work_for

SLICE_SECONDS = 5.0
"""After which a poll comes in between: ready stacks do not wait for hundreds of requests."""
ROUND = 4
"""Requests by each worker before a signal is noticed."""
BARRIER = "waits until the changes of all stacks are known"


class Run:
    """One run over the stacks of a graph, which may be some of the manifest's."""

    def __init__(
        self,
        scope: Scope,
        *,
        goal: Goal,
        cloud: Cloud,
        options: Options,
        host: Host,
        approvals: Mapping[str, Approval] | None = None,
        gated: bool = True,
    ) -> None:
        manifest, graph = scope.manifest, scope.graph
        by_name = {spec.name: spec for spec in manifest.stacks}
        goals: dict[str, Goal] = dict.fromkeys(scope.leftovers, "destroy")
        self._works = {
            name: work_for(manifest, by_name[name], goals.get(name, goal), options) for name in graph.names
        }
        for name, one in scope.kept.items():
            self._works[name].to_import = one
        self._scope = scope
        self._approvals = approvals or {}
        self._manifest = manifest
        self._graph = graph
        self._goal: Goal = goal
        self._gated, self._env = gated, options.env or manifest.environment
        self._cloud = cloud
        self._host = host
        how = {"env": options.env, "push": options.push}
        preparer = Preparer(manifest, cloud, host.tell, host.run_id, revert_drift=options.revert_drift, **how)
        self._executor = Executor(cloud, preparer, host.tell, self._value_of, production=manifest.production)
        self._watch = Watch(cloud, host, shown=options.show_events)
        self._results = Results(
            self._works,
            graph,
            executor=self._executor,
            keeping=Keeping(cloud, self._missing),
            watch=self._watch,
            host=host,
            options=options,
        )
        self._interval = PollingInterval(options.poll_interval, host.clock())
        new = lambda export: made_now(self._works.values(), export)  # noqa: E731
        self._migrating = Migrating(
            cloud, host, self._interval, self._value_of, new, region=manifest.region, environment=self._env
        )
        self._lingering, self._awaiting = Lingering(cloud, host), Awaiting(cloud, host, self._interval)
        self._workers = Workers(host.workers)
        self._scheduler = Scheduler(self._works, graph)
        self._poller = Poller(self._scheduler.order, cloud, host, self._interval, self._workers)
        self._cleared = goal == "destroy"
        planned = any(one.lasting for one in self._approvals.values())
        self._gate = Gate(scope, cloud, options, host.tell, planned=planned, open_=not gated)
        self._signals = 0

    def run(self) -> Result:
        """Run until every stack has its result."""
        self._first_look()
        self._announce()
        began = self._host.clock()
        try:
            with self._workers:
                while self._tick():
                    if not self._scheduler.cut_short:
                        self._host.sleep(self._pause(self._host.clock()))
                    self._poller.look_again()
        except LostSight as error:
            self._results.leave(str(error), clean=False, signalled=False)
        interrupted = self._signals > 0
        if self._goal == "destroy" and not interrupted:
            sweep(self._works.values(), self._cloud, self._host.tell)
        seconds = self._host.clock() - began
        return self._results.result(self._manifest.environment, self._goal, seconds, interrupted=interrupted)

    @property
    def _open(self) -> list[Work]:
        return [work for work in self._works.values() if work.open]

    def _missing(self) -> list[str]:
        return [work.spec.stack_name for work in self._works.values() if work.first is None]

    def _announce(self) -> None:
        works = self._works.values()
        sizes = {work.name: len(resources_of(work.spec.template)) for work in works}
        names = {work.name: work.spec.stack_name for work in works}
        waves = self._graph.waves()
        self._host.tell(RunStarted(self._manifest.environment, self._goal, waves, names, sizes))

    def _tick(self) -> bool:
        """Do what can be done now; returns whether anything is left."""
        self._take_signals()
        for work, refusal in self._poller.change_sets():
            self._results.failed(work, Fail(str(refusal)), cleared=self._cleared)
        self._watch.read(self._open, self._workers)
        self._pass()
        if not self._cleared and not any(work.preparing for work in self._works.values()):
            self._clear()
        return bool(self._open)

    def _pause(self, now: float) -> float:
        """Return the seconds until the next poll: none is useful while every stack pauses."""
        rest = min((work.tries.rests_until for work in self._open), default=now)
        return max(self._interval.pause(now), rest - now)

    def _clear(self) -> None:
        """Allow the updates, or refuse them all, once it is known what all of them would do."""
        try:
            refused = {} if self._results.halted else self._gate.refused(self._works.values())
            if self._gated and not self._results.halted and not refused:
                check_rotations(self._works.values(), self._cloud, self._value_of, self._host.tell, self._env)
        except Transient as error:
            self._poller.endure("gate", error)
            return
        except (Detour, Refused):
            self._leave_nothing()
            raise
        self._poller.answered("gate")
        for name in [one for one in reversed(self._graph.names) if one in refused]:  # before what skips it
            self._results.failed(self._works[name], refused[name], cleared=False)
        self._cleared = True
        self._pass()

    def _leave_nothing(self) -> None:
        """Remove what was prepared: nothing is executed yet, and nothing will be."""
        for work in self._open:
            self._executor.clean_up(work)

    def _take_signals(self) -> None:
        signals = self._host.stop()
        if signals <= self._signals:
            return
        self._signals = signals
        running = tuple(work.name for work in self._open if work.going)
        self._host.tell(Stopping(running, leaving=signals > 1))
        self._results.halt("interrupted", "interrupted")
        if signals > 1:
            self._results.leave("the wait ended before the operation", clean=True, signalled=True)

    def _first_look(self) -> None:
        """Read the stacks for the first time, and apply the approvals."""
        if self._scope.states is None:
            with_backoff(self._host, self._poller.look)
        else:
            self._poller.see(self._scope.states)
        now = self._host.clock()
        for work in self._works.values():
            work.first = work.stack
            if approval := self._approvals.get(work.name):
                work.take_up(approval, now)

    def _pass(self) -> None:
        """Decide and act, longest path first, until nothing can be done at once."""
        began = self._host.clock()
        self._scheduler.begin()
        while acts := self._next(self._workers.width * ROUND):
            done = self._workers.each(self._carry_out, acts)
            lost = [error for error in done if isinstance(error, LostSight)]
            for (work, _), error in zip(acts, done, strict=True):
                if error is not None and work.open and not lost:
                    self._trouble(work, error)
            self._scheduler.again(
                [work for (work, _), error in zip(acts, done, strict=True) if error is None]
            )
            if lost:
                raise lost[0]
            if not all(work.open for work, _ in acts):
                self._scheduler.changed()
            if self._host.clock() - began > SLICE_SECONDS or self._host.stop() > self._signals:
                self._scheduler.cut()
                return

    def _next(self, count: int) -> list[tuple[Work, Action]]:
        """Decide until there are *count* actions to carry out, or nothing is left to decide."""
        acts: list[tuple[Work, Action]] = []
        while len(acts) < count and (work := self._scheduler.take()) is not None:
            action = self._decided(work)
            if action is not None:
                acts.append((work, action))
            elif work.open:
                self._scheduler.waits(work)
            else:
                self._scheduler.changed()
        return acts

    def _decided(self, work: Work) -> Action | None:
        """Return the action to carry out for *work* now; an end, or a wait, is recorded here."""
        now, work.refusal = self._host.clock(), None
        unmet = self._unmet(work)
        hold = f"waits for {', '.join(unmet)}" if unmet else "" if self._cleared else BARRIER
        moving = any(self._works[name].moving for name in unmet)
        action = decide(work.goal, work.desired, work.observed(hold, now, early=bool(unmet), moving=moving))
        action = self._lingering.before(work, self._allowed(work, action), now)
        action = self._awaiting.before(work, self._migrating.before(work, action, now), now)
        if isinstance(action, Done):
            self._results.done(work, action)
        elif isinstance(action, Fail):
            self._refuse(work, action)
        elif self._results.halted and not (isinstance(action, (Wait, Migrate)) and work.going):
            self._results.stop(work)
        elif isinstance(action, Wait):
            self._wait(work, action, now)
        elif isinstance(action, Migrate):
            work.begin(now)
            return action
        elif work.tries.rests(now):
            work.wait = None
        elif work.tries.spent:
            text = f"{work.tries.requests} requests did not complete it: {action.reason}"
            self._results.failed(work, Fail(text), cleared=self._cleared)
        else:
            work.begin(now)
            work.wait = None
            self._host.tell(StackDecided(work.name, action.step, action.reason))
            return action
        return None

    def _refuse(self, work: Work, action: Fail) -> None:
        """End *work*; before the first change, wait until all missing consents are known."""
        if action.outcome == "protected" and not (self._cleared or self._results.halted):
            work.refusal = action
        else:
            self._results.failed(work, action, cleared=self._cleared)

    def _allowed(self, work: Work, action: Action) -> Action:
        """Enforce the approvals, and the consent for stacks to be deleted."""
        if self._goal == "deploy" and work.goal == "destroy":
            action = removal(action, work.stack, work.data, work.desired.allow_replace)
        try:
            action = self._gate.late(action, work, self._works.values()) if self._cleared else action
        except Transient as error:
            self._stumble(work, error, self._host.clock())
            return Wait("AWS does not say yet who imports from it", on="change set")
        return held(work.approval, action, work.change_set) if work.approval else action

    def _unmet(self, work: Work) -> list[str]:
        """Return what *work* has to wait for."""
        names = self._graph.behind(work.name) if work.runs_tasks else self._graph.needs[work.name]
        needs = (self._works[name] for name in sorted(names))
        return [need.name for need in needs if need.open and not work.may_pass(need)]

    def _wait(self, work: Work, action: Wait, now: float) -> None:
        told = work.wait is not None and work.wait.reason == action.reason
        work.wait = action
        if action.on == "others":
            work.since = None
            return
        work.begin(now)
        if work.unseen(now):
            minutes = (now - work.acted_at) / 60
            text = f"AWS accepted it and has not shown it for {minutes:.0f} minutes: {action.reason}"
            self._results.going_on(work, text)
        elif work.over_limit(now):
            limit = work.spec.timeout_minutes
            self._results.going_on(work, f"not finished after {limit} minutes: {action.reason}")
        elif not told and (action.on == "task" or (action.on == "stack" and not work.asked)):
            self._host.tell(Waiting(work.name, action.reason))

    def _carry_out(self, act: tuple[Work, Action]) -> DeployError | None:
        """Send the requests for one stack; returns the error, if any. May run in parallel with others."""
        work, action = act
        began = self._host.clock()
        try:
            if isinstance(action, Migrate):
                self._migrating.carry_out(work)
            else:
                work.tries = work.tries.made()
                self._executor.carry_out(work, action, began)
                self._interval.news(self._host.clock())
                self._interval.took(self._host.clock() - began)
        except DeployError as error:
            return error
        work.tries = work.tries.answered()
        return None

    def _trouble(self, work: Work, error: DeployError) -> None:
        if isinstance(error, (Transient, MovedOn)):
            self._stumble(work, error, self._host.clock())
            return
        if isinstance(error, Refused) and not self._cleared:
            self._leave_nothing()
            raise error
        outcome: Outcome = "protected" if isinstance(error, Protected) else "failed"
        self._results.failed(work, Fail(str(error), outcome), cleared=self._cleared)

    def _stumble(self, work: Work, error: Transient | MovedOn, now: float) -> None:
        """Retry the same request after a poll, as long as that is useful."""
        work.recheck = work.change_set is not None
        before = work.tries
        if isinstance(error, Transient):
            self._interval.strained()
            work.tries = before.strained(now)
        else:
            work.tries = before.refused(work.stack.mark if work.stack else (), now)
        if work.tries.over(now):
            self._results.failed(work, Fail(str(error)), cleared=self._cleared)
        elif before.strained_since is None and work.tries.refusals <= 1:
            self._host.tell(Notice(f"tried again: {error}", work.name))

    def _value_of(self, export: str) -> str | None:
        return value_of(self._works.values(), self._cloud, export)
