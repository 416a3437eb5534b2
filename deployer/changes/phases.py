"""
Runs a deployment in as many phases as exports in use require: nearly always one.

Each phase is a run with its own manifest. After each, the remaining phases are computed again from the state
in AWS, so the same command resumes an interrupted deployment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deployer.changes.export_gate import Detour
from deployer.changes.export_migration import Phase
from deployer.cloud import Cloud
from deployer.errors import GraphError
from deployer.graph import Graph, graph
from deployer.options import Host, Options
from deployer.progress import Event, Notice, Result, StackResult
from deployer.run.leftovers import Scope
from deployer.run.loop import Run

PASSES_PER_STACK = 4
"""Pin, update, connect again, and one more for further effects of an update."""
SAME_PHASE_AT_MOST = 2
"""A phase that is needed a third time has had no effect."""


def deploy_in_phases(scope: Scope, cloud: Cloud, options: Options, host: Host) -> Result:
    """Deploy *scope*, in phases that first remove imports of the exports that change."""
    return _Passes(scope, cloud, options, host).run()


class _Passes:
    """The passes of one deployment."""

    def __init__(self, scope: Scope, cloud: Cloud, options: Options, host: Host) -> None:
        self._wanted = scope
        self._cloud = cloud
        self._options = options
        self._host = host
        self._told: set[Notice] = set()
        self._passes = 0
        self._taken: list[Phase] = []
        self._results: list[Result] = []

    def run(self) -> Result:
        """Run phases until one deploys everything, or one fails."""
        last = self._deploy(self._wanted, gated=True)
        return last if len(self._results) == 1 else together(self._results, self._wanted)

    def _deploy(self, scope: Scope, *, gated: bool) -> Result:
        """Deploy *scope*, after other passes if needed."""
        while True:
            host = self._pass()
            try:
                one = Run(
                    scope,
                    goal="deploy",
                    cloud=self._cloud,
                    options=self._options,
                    host=host,
                    gated=gated and not self._is_enough,
                )
                self._results.append(one.run())
                return self._results[-1]
            except Detour as detour:
                self._announce(detour.phases)
                first = detour.phases[0]
                self._taken.append(first)
                result = self._deploy(self._scope(first), gated=not first.pins)
                if result.exit_code:
                    return result
                scope = replace(scope, states=None)

    @property
    def _is_enough(self) -> bool:
        """Whether to stop adding passes, and let AWS refuse exports still in use, instead of looping."""
        circle = any(self._taken.count(one) > SAME_PHASE_AT_MOST for one in self._taken)
        return circle or self._passes > PASSES_PER_STACK * len(self._wanted.graph.names)

    def _pass(self) -> Host:
        """Return the host of the next pass: requests of different passes have different tokens."""
        run_id = f"{self._host.run_id}p{self._passes}" if self._passes else self._host.run_id
        self._passes += 1
        return replace(self._host, run_id=run_id, tell=self._tell)

    def _tell(self, event: Event) -> None:
        """Pass events on, each notice once."""
        if isinstance(event, Notice):
            if event in self._told:
                return
            self._told.add(event)
        self._host.tell(event)

    def _announce(self, found: Sequence[Phase]) -> None:
        for line in described(found):
            self._tell(Notice(line))

    def _scope(self, phase: Phase) -> Scope:
        """Return the scope of a phase; what it imports from other stacks must exist by now."""
        if phase.leftovers:
            return _leftovers_alone(self._wanted)
        try:
            order = graph(phase.manifest.stacks, self._cloud.exports())
        except GraphError:
            order = graph(phase.manifest.stacks)
        return Scope(phase.manifest, order)


def described(found: Sequence[Phase]) -> tuple[str, ...]:
    """Return phases as lines for people."""
    return tuple(
        f"phase {number} of {len(found)}: {phase.reason}" for number, phase in enumerate(found, start=1)
    )


def _leftovers_alone(scope: Scope) -> Scope:
    names = scope.leftovers
    stacks = tuple(one for one in scope.graph.stacks if one.name in names)
    needs = {name: scope.graph.needs[name] & names for name in names}
    return replace(scope, graph=Graph(stacks, needs, dict.fromkeys(names, frozenset())), states=None)


def together(results: Sequence[Result], wanted: Scope) -> Result:
    """Combine the results of passes into one deployment: what was done to each stack, and its final state."""
    last = results[-1]
    specs = {spec.name: spec for spec in wanted.manifest.stacks}
    stacks = []
    for name in wanted.graph.names:
        each = [one for result in results for one in result.stacks if one.name == name]
        missing = StackResult(
            name, specs[name].stack_name, "skipped", "skipped", "", 0.0, "an earlier phase failed"
        )
        stacks.append(_one(each) if each else missing)
    latest = {output.stack: result.outputs for result in results for output in result.outputs}
    outputs = tuple(output for name, outputs in latest.items() for output in outputs if output.stack == name)
    seconds = sum(result.seconds for result in results)
    return replace(last, stacks=tuple(stacks), outputs=outputs, seconds=seconds)


def _one(each: Sequence[StackResult]) -> StackResult:
    """Combine one stack's results of all passes: the last outcome, and the first operation."""
    last = each[-1]
    done = next((one.action for one in each if one.action not in {"none", "skipped"}), last.action)
    action = done if last.action == "none" else last.action
    return replace(last, action=action, seconds=sum(one.seconds for one in each))
