"""
The loop: look, decide, act, tell, until every stack has its result. Single-threaded: AWS works meanwhile.

The state of a deployment lives in CloudFormation alone: what a killed run has left is taken up by the next
one with the same command.
"""

from __future__ import annotations

from dataclasses import replace

from deployer.actions import Action, Done, Fail, Wait
from deployer.cloud import Cloud
from deployer.decide import Desired, decide
from deployer.ending import Ending
from deployer.errors import CloudError, DeployError, LostSight, MovedOn, Protected, Transient
from deployer.graph import Graph
from deployer.hand import Hand
from deployer.options import Host, Options
from deployer.pace import Pace
from deployer.prepare import Preparer, tags_of
from deployer.progress import Goal, Notice, Outcome, Result, RunStarted, StackDecided, Stopping, Waiting
from deployer.watching import Watch
from deployer.work import GONE, STALE_SECONDS, Work, pick, resources_of
from generator.manifest import Manifest, StackSpec

SIGHT_SECONDS = 600.0
"""How long the endpoint may refuse every answer before a run gives up watching."""
STEPS_AT_MOST = 12
"""Actions on one stack between two looks."""
BARRIER = "waits until it is known what the update of every stack would do"


class Run:
    """One run over the stacks of a graph, which may be some of the manifest's."""

    def __init__(
        self,
        manifest: Manifest,
        graph: Graph,
        *,
        goal: Goal,
        cloud: Cloud,
        options: Options,
        host: Host,
    ) -> None:
        by_name = {spec.name: spec for spec in manifest.stacks}
        self._works = {name: _work(manifest, by_name[name], goal, options) for name in graph.names}
        self._manifest = manifest
        self._graph = graph
        self._goal: Goal = goal
        self._cloud = cloud
        self._host = host
        preparer = Preparer(manifest, cloud, host.tell, host.run_id)
        self._hand = Hand(cloud, preparer, host.tell, self._bucket_of, production=manifest.production)
        self._watch = Watch(cloud, host, shown=options.show_events)
        self._ending = Ending(
            self._works, graph, hand=self._hand, watch=self._watch, host=host, options=options
        )
        self._pace = Pace(options.poll_interval, host.clock())
        self._sight = host.clock()
        self._cleared = goal == "destroy"
        self._signals = 0

    def run(self) -> Result:
        """Go on until every stack has its result."""
        self._look()
        for work in self._works.values():
            work.first = work.stack
        self._announce()
        began = self._host.clock()
        try:
            while self._tick():
                self._host.sleep(self._pace.pause(self._host.clock()))
                self._look_again()
        except LostSight as error:
            self._ending.leave(str(error), clean=False, signalled=False)
        interrupted = self._signals > 0
        seconds = self._host.clock() - began
        return self._ending.result(self._manifest.environment, self._goal, seconds, interrupted=interrupted)

    @property
    def _open(self) -> list[Work]:
        return [work for work in self._works.values() if work.open]

    def _announce(self) -> None:
        works = self._works.values()
        sizes = {work.name: len(resources_of(work.spec.template)) for work in works}
        names = {work.name: work.spec.stack_name for work in works}
        waves = self._graph.waves()
        self._host.tell(RunStarted(self._manifest.environment, self._goal, waves, names, sizes))

    def _tick(self) -> bool:
        """Do what can be done now; returns whether anything is left."""
        self._take_signals()
        self._read_change_sets()
        for work in self._open:
            self._watch.read(work)
        self._pass()
        if not self._cleared and not any(work.preparing for work in self._works.values()):
            self._cleared = True
            self._pass()
        return bool(self._open)

    def _take_signals(self) -> None:
        signals = self._host.stop()
        if signals <= self._signals:
            return
        self._signals = signals
        running = tuple(work.name for work in self._open if work.asked)
        self._host.tell(Stopping(running, leaving=signals > 1))
        self._ending.halt("interrupted", "interrupted")
        if signals > 1:
            self._ending.leave("left before its end was seen", clean=True, signalled=True)

    # look

    def _look(self) -> None:
        names = [work.spec.stack_name for work in self._open]
        ids = [work.follow for work in self._open if work.follow]
        states = self._cloud.stacks(names, ids)
        now = self._host.clock()
        self._sight = now
        self._pace.relaxed()
        for work in self._open:
            if work.seen(pick(work, states)):
                self._pace.news(now)

    def _look_again(self) -> None:
        """Look once for all stacks, if any of them can have moved."""
        if not any(work.wait is None or work.wait.on == "stack" for work in self._open):
            return
        try:
            self._look()
        except Transient as error:
            self._endure(error)
        except CloudError as error:
            raise LostSight(f"the stacks cannot be seen any more: {error}") from error

    def _endure(self, error: Transient) -> None:
        self._pace.strained()
        quiet = self._host.clock() - self._sight
        if quiet > SIGHT_SECONDS:
            raise LostSight(f"no answer from AWS for {quiet / 60:.0f} minutes: {error}") from error

    def _read_change_sets(self) -> None:
        """Ask for the change sets that AWS is working on, or whose execution the stacks show no trace of."""
        now = self._host.clock()
        for work in self._open:
            pending = work.pending and self._pace.worth_asking(now - work.made_at, work.asked_for)
            if pending or work.recheck or work.doubtful(now):
                try:
                    self._read_change_set(work, now)
                except Transient as error:
                    self._endure(error)

    def _read_change_set(self, work: Work, now: float) -> None:
        before = work.change_set
        if before is None:
            work.recheck = False
            return
        found = self._cloud.change_set(before.id)
        work.asked_for += 1
        self._sight = now
        self._pace.relaxed()
        if found is not None:
            if work.told(found):
                self._pace.news(now)
        elif work.history.executed:
            work.change_set, work.recheck = replace(before, execution=GONE), False
        elif now - work.made_at > STALE_SECONDS:
            work.recheck = False
            work.forget_change_set()

    # decide and act

    def _pass(self) -> None:
        for work in self._works.values():
            for _ in range(STEPS_AT_MOST):
                if not work.open or not self._step(work):
                    break

    def _step(self, work: Work) -> bool:
        """Take one step with *work*; returns whether the next one can be taken at once."""
        now = self._host.clock()
        unmet = self._unmet(work)
        hold = f"waits for {', '.join(unmet)}" if unmet else "" if self._cleared else BARRIER
        action = decide(self._goal, work.desired, work.observed(hold, now, early=bool(unmet)))
        if isinstance(action, Done):
            self._ending.done(work, action)
        elif isinstance(action, Fail):
            self._ending.failed(work, action, cleared=self._cleared)
        elif self._ending.halted and not (isinstance(action, Wait) and work.asked):
            self._ending.stop(work)
        elif isinstance(action, Wait):
            self._wait(work, action, now)
        else:
            return self._act(work, action, now)
        return False

    def _unmet(self, work: Work) -> list[str]:
        """Return what has to come before *work* and is not over yet."""
        needs = (self._works[name] for name in sorted(self._graph.needs[work.name]))
        early = self._goal == "deploy"
        return [need.name for need in needs if need.open and not (early and need.outputs_final)]

    def _wait(self, work: Work, action: Wait, now: float) -> None:
        told = work.wait is not None and work.wait.reason == action.reason
        work.wait = action
        if action.on == "others":
            return
        work.begin(now)
        limit = work.spec.timeout_minutes
        if work.seconds(now) > limit * 60:
            self._ending.going_on(work, f"not at its end after {limit} minutes: {action.reason}")
        elif not told and action.on == "stack" and not work.asked:
            self._host.tell(Waiting(work.name, action.reason))

    def _act(self, work: Work, action: Action, now: float) -> bool:
        work.begin(now)
        work.wait = None
        if not isinstance(action, (Wait, Done, Fail)):
            self._host.tell(StackDecided(work.name, action.step, action.reason))
        try:
            self._hand.carry_out(work, action, now)
        except (Transient, MovedOn) as error:
            self._stumble(work, error, now)
        except LostSight:
            raise
        except DeployError as error:
            outcome: Outcome = "protected" if isinstance(error, Protected) else "failed"
            self._ending.failed(work, Fail(str(error), outcome), cleared=self._cleared)
        else:
            self._pace.news(now)
            work.stuck_since = None
            return True
        return False

    def _stumble(self, work: Work, error: Transient | MovedOn, now: float) -> None:
        """Have the same request repeated after the next look, until it has gone on for too long."""
        work.recheck = work.change_set is not None
        if work.stuck_since is None:
            work.stuck_since = now
            self._host.tell(Notice(f"tried again: {error}", work.name))
        if isinstance(error, Transient):
            self._pace.strained()
        if now - work.stuck_since > SIGHT_SECONDS:
            self._ending.failed(work, Fail(str(error)), cleared=self._cleared)

    def _bucket_of(self, export: str) -> str | None:
        """Return the value of *export*: of a stack of this run, else of the region."""
        for work in self._works.values():
            for output in work.stack.outputs if work.stack else ():
                if output.export == export:
                    return output.value
        return next((one.value for one in self._cloud.exports() if one.name == export), None)


def _work(manifest: Manifest, spec: StackSpec, goal: Goal, options: Options) -> Work:
    desired = Desired(
        stack_name=spec.stack_name,
        tags=tags_of(manifest, spec),
        termination_protection=spec.termination_protection,
        allow_replace=options.allow_replace,
        force=options.force,
    )
    return Work(spec, desired, goal)
