"""
Checks, before the first update of a run, what all its change sets together do to exports in use.

Lists imports only for exports that would be removed or changed. Executes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from deployer.actions import Action, Execute, Fail
from deployer.changes.attached_gateways import moving_gateways
from deployer.changes.export_impact import Impact, Refusal, Side, Suspect, in_use, refusals, suspects
from deployer.changes.export_migration import Phase, needs_templates, phases
from deployer.cloud import Cloud
from deployer.decide import owned
from deployer.errors import CloudError, Transient
from deployer.options import Options
from deployer.plan import StackPlan
from deployer.progress import Notice, Tell
from deployer.run.leftovers import Scope, tags_of_stack
from deployer.run.work import Work
from deployer.states import StackState
from deployer.statuses import Step, row


class Detour(Exception):  # noqa: N818 - no error: another way to deploy
    """The deployment has to be done in these phases; nothing was changed."""

    def __init__(self, found: tuple[Phase, ...]) -> None:
        super().__init__(f"{len(found)} phases")
        self.phases = found


def side_of(scope: Scope, name: str, stack: StackState | None, *, updates: bool = True) -> Side | None:
    """Return the live stack of *scope*; None if it has nothing that could be imported."""
    spec = next(spec for spec in scope.manifest.stacks if spec.name == name)
    if stack is None or stack.status in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"} or name in scope.leftovers:
        return None
    updatable = row(stack.status).deploy is Step.UPDATE
    return Side(
        spec, stack, updates=updates and updatable, ours=owned(stack, tags_of_stack(scope.manifest, spec))
    )


class Survey:
    """Finds out what a deployment does to exports in use."""

    def __init__(self, scope: Scope, cloud: Cloud, options: Options, tell: Tell) -> None:
        self._scope = scope
        self._cloud = cloud
        self._options = options
        self._tell = tell
        self._templates: dict[str, str | None] = {}
        self._importers: dict[str, tuple[str, ...]] = {}

    def impact(self, sides: Mapping[str, Side], only: Collection[str] = ()) -> Impact:
        """Return what the updates of *sides*, or of those in *only*, do to exports in use."""
        region = {name: value for side in sides.values() for name, value in side.values.items()}
        found: list[Suspect] = []
        for name, side in sides.items():
            if side.updates and side.values and (not only or name in only):
                found += suspects(side, self._template(side), region)
        importers = {one.export: self._imported_by(one.export) for one in found}
        names = [name for name in self._scope.graph.names if name not in self._scope.leftovers]
        specs = {spec.name: spec for spec in self._scope.manifest.stacks}
        wanted = replace(self._scope.manifest, stacks=tuple(specs[name] for name in names))
        going = frozenset(specs[name].stack_name for name in self._scope.leftovers)
        return Impact(wanted, sides, tuple(found), importers, going)

    def refusals(self, impact: Impact) -> tuple[Refusal, ...]:
        """Return what stops the deployment."""
        stopped = (*moving_gateways(impact.sides.values()),)
        return stopped or refusals(impact, self._scope.manifest.stacks, migrate=self._options.migrate_exports)

    def phases(self, impact: Impact) -> tuple[Phase, ...]:
        """
        Return the phases in which it can be done.

        Raises:
            CloudError: a live template cannot be read.

        """
        texts = {name: self._template(impact.sides[name]) for name in needs_templates(impact)}
        try:
            return phases(impact, {name: text or "" for name, text in texts.items()})
        except ValueError as error:
            raise CloudError(f"a live template cannot be read: {error}") from error

    def _template(self, side: Side) -> str | None:
        if side.stack.id not in self._templates:
            try:
                self._templates[side.stack.id] = self._cloud.template(side.stack.id)
            except Transient:
                raise
            except CloudError:
                self._templates[side.stack.id] = None
        return self._templates[side.stack.id]

    def _imported_by(self, export: str) -> tuple[str, ...]:
        if export not in self._importers:
            try:
                self._importers[export] = self._cloud.importers(export)
            except Transient:
                raise
            except CloudError as error:
                self._importers[export] = ()
                text = (
                    f"who imports {export} cannot be looked up ({error}): AWS refuses the update if any does"
                )
                self._tell(Notice(text, warning=True))
        return self._importers[export]


class Gate:
    """Lets the updates of one run begin."""

    def __init__(
        self, scope: Scope, cloud: Cloud, options: Options, tell: Tell, *, planned: bool, open_: bool
    ) -> None:
        """*planned*: a reviewed plan is executed, in one pass or not at all; *open_*: nothing is checked."""
        self._scope = scope
        self._survey = Survey(scope, cloud, options, tell)
        self._planned = planned
        self._open = open_
        self._passed: set[str] = set()

    def refused(self, works: Collection[Work]) -> Mapping[str, Fail]:
        """
        Return the stacks whose update must not begin, with all refusals of each; nothing is changed.

        Raises:
            Detour: it can be done, in several phases.
            Transient: AWS could not be asked.

        """
        found = {work.name: work.refusal for work in works if work.open and work.refusal}
        try:
            stopped = self._of_exports(works)
        except Detour:
            if not found:
                raise
            return found
        for one in stopped:
            fail, before = Fail(one.reason, "protected", one.allow), found.get(one.producer)
            found[one.producer] = before.also(fail) if before else fail
        return found

    def _of_exports(self, works: Collection[Work]) -> tuple[Refusal, ...]:
        """Return the refusals for exports in use; raises as `refused` does."""
        if self._open:
            return ()
        self._passed |= {work.change_set.id for work in works if work.change_set}
        impact = self._survey.impact(self._sides(works))
        if stopped := self._survey.refusals(impact):
            return stopped
        try:
            found = self._survey.phases(impact)
        except Transient:
            raise
        except CloudError as error:
            return tuple(Refusal(one.producer, str(error)) for one in impact.suspects[:1])
        if len(found) > 1 and self._planned:
            text = "it changes exports in use, which takes several phases: deploy it without --plan"
            return (Refusal(impact.suspects[0].producer, text),)
        if len(found) > 1:
            raise Detour(found)
        return ()

    def late(self, action: Action, work: Work, works: Collection[Work]) -> Action:
        """Return *action*, or a refusal of an update that appeared after the first one began."""
        if not isinstance(action, Execute) or action.kind != "UPDATE" or self._open:
            return action
        if action.change_set_id in self._passed:
            return action
        impact = self._survey.impact(self._sides(works), only={work.name})
        if text := in_use(impact):
            return Fail(f"it would {text}: run the same command again, the conflict is known then")
        self._passed.add(action.change_set_id)
        return action

    def _sides(self, works: Collection[Work]) -> Mapping[str, Side]:
        found = {}
        for work in works:
            side = side_of(self._scope, work.name, work.stack, updates=work.open and not work.history.empty)
            if side is not None:
                ready = work.change_set is not None and work.change_set.execution == "AVAILABLE"
                changes = work.change_set.changes if work.change_set and ready else ()
                parameters = work.request.parameters if work.request else {}
                found[work.name] = replace(side, changes=changes, parameters=parameters)
        return found


def foreseen(
    survey: Survey, scope: Scope, plans: Collection[StackPlan]
) -> tuple[tuple[Refusal, ...], tuple[Phase, ...]]:
    """Return what would stop a deployment of *plans*, and the phases it would take if more than one."""
    found = {}
    for one in plans:
        side = side_of(scope, one.name, one.stack, updates=one.action == "update")
        if side is not None:
            changes = one.changes if one.exact else ()
            found[one.name] = replace(side, changes=changes, parameters=one.parameters)
    impact = survey.impact(found)
    stopped = survey.refusals(impact)
    ways = () if stopped else survey.phases(impact)
    return stopped, ways if len(ways) > 1 else ()
