"""Results of stacks: causes, skipped dependants, cleanup. Starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from deployer.actions import Done, Fail
from deployer.causes import stuck, way_out
from deployer.graph import Graph
from deployer.options import Host, Options
from deployer.progress import (
    Cause,
    Goal,
    Outcome,
    Result,
    StackFinished,
    StackResult,
    Verb,
    outputs_of,
)
from deployer.remedies import remedy
from deployer.run.executor import Executor
from deployer.run.keeping import Keeping
from deployer.run.stack_events import Watch
from deployer.run.work import Work
from deployer.statuses import ROLLBACK_FAILED


class Results:
    """Gives every stack of a run its result, once."""

    def __init__(
        self,
        works: Mapping[str, Work],
        graph: Graph,
        *,
        executor: Executor,
        keeping: Keeping,
        watch: Watch,
        host: Host,
        options: Options,
    ) -> None:
        self._works = works
        self._graph = graph
        self._executor = executor
        self._keeping = keeping
        self._watch = watch
        self._host = host
        self._options = options
        self._halt: tuple[Outcome, str] | None = None

    @property
    def halted(self) -> bool:
        """Whether nothing new may be started."""
        return self._halt is not None

    def halt(self, outcome: Outcome, reason: str) -> None:
        """Start nothing new: stacks that have not started end with *outcome*."""
        self._halt = (outcome, reason)

    def stop(self, work: Work) -> None:
        """End a stack that was not begun, because the run was halted."""
        outcome, reason = self._halt or ("skipped", "")
        self._finish(work, "skipped" if outcome == "skipped" else work.verb, outcome, reason)

    def done(self, work: Work, action: Done) -> None:
        """End a stack as done."""
        if work.goal == "destroy":
            self._keeping.note(work)
        self._finish(work, action.verb, "done", action.reason)

    def failed(self, work: Work, action: Fail, *, cleared: bool) -> None:
        """End a stack that failed; on a protected change before anything was changed, end them all."""
        stuck_rollback = work.stack is not None and work.stack.status == ROLLBACK_FAILED
        ours = action.outcome == "protected" and not stuck_rollback  # no failure in AWS explains our refusal
        cause = self._watch.cause(work) if work.asked and not ours else None
        reason = "; ".join([action.reason, *self._watch.refusals(work)])
        if cause is None and (help_ := remedy(reason)) and help_ not in reason:
            reason = f"{reason} -> {help_}"
        if cause and stuck_rollback and (names := stuck(work.events)):
            ways = filter(None, (cause.remedy, way_out(work.desired.command, names)))
            cause = replace(cause, remedy="; ".join(ways))
        untouched = not cleared and not any(other.asked for other in self._works.values())
        if action.outcome == "protected" and untouched:
            self.halt("skipped", f"nothing was changed, because {work.name} needs consent")
        elif self._options.on_failure == "stop" and not self.halted:
            self.halt("skipped", f"stopped after {work.name} failed")
        self._finish(work, work.verb, action.outcome, reason, cause, allow=action.allow)

    def going_on(self, work: Work, reason: str) -> None:
        """End a stack whose end in AWS was not seen."""
        self._finish(work, work.verb, "going-on", reason)

    def leave(self, reason: str, *, clean: bool, signalled: bool) -> None:
        """End every stack now, whatever is still in progress in AWS."""
        for work in self._works.values():
            if not work.open:
                continue
            if work.going:
                self._finish(work, work.verb, "going-on", reason, clean=clean)
            else:
                outcome: Outcome = "interrupted" if signalled else "skipped"
                self._finish(work, work.verb if signalled else "skipped", outcome, reason, clean=clean)

    def result(self, environment: str, goal: Goal, seconds: float, *, interrupted: bool) -> Result:
        """Return how the whole run ended."""
        results = tuple(work.result for work in self._works.values() if work.result is not None)
        cut_short = interrupted and any(one.outcome != "done" for one in results)
        outputs = tuple(
            output
            for work in self._works.values()
            if work.goal == "deploy"
            for output in outputs_of(work.name, work.stack)
        )
        asked = self._options
        return Result(
            environment,
            goal,
            results,
            outputs,
            seconds,
            cut_short,
            env=asked.env,
            command=asked.command,
            flags=asked.flags,
        )

    def _finish(
        self,
        work: Work,
        verb: Verb,
        outcome: Outcome,
        reason: str,
        cause: Cause | None = None,
        *,
        clean: bool = True,
        allow: str = "",
    ) -> None:
        if work.migrating:
            reason = f"{reason}; the task {work.migrating} continues in AWS; the same command resumes"
        if clean and not (outcome == "going-on" and work.asked):
            self._executor.clean_up(work)
        status = work.stack.status if work.stack else ""
        seconds = work.seconds(self._host.clock())
        work.result = StackResult(
            work.name, work.spec.stack_name, verb, outcome, status, seconds, reason, cause, work.kept, allow
        )
        self._host.tell(StackFinished(work.result))
        if outcome != "done":
            self._skip_dependants(work, work.result)

    def _skip_dependants(self, work: Work, result: StackResult) -> None:
        # a needed consent is reported once, at its stack
        why = "" if result.outcome == "protected" else f": {result.cause or result.reason}"
        tasks = {one.name for one in self._works.values() if one.runs_tasks}
        behind = {name for name in tasks if work.name in self._graph.behind(name)}
        for name in sorted(self._graph.needed_by(work.name) | behind):
            if self._works[name].open and not self._works[name].going:
                skipped = result.outcome == "skipped"
                root = result.reason if skipped else f"{work.name} {_WORDS[result.outcome]}{why}"
                self._finish(self._works[name], "skipped", "skipped", root)


_WORDS: Mapping[Outcome, str] = {
    "failed": "failed",
    "protected": "needs consent",
    "going-on": "still in progress",
    "interrupted": "was interrupted",
}
