"""
The plan of an environment: from real change sets, which are deleted again, else from the templates.

Change sets remain only if they are kept for `deploy --plan`. Stacks do not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deployer.changes.contents import with_contents
from deployer.changes.expectation import with_expectation
from deployer.changes.export_gate import Survey, foreseen
from deployer.changes.migrations import foretold_migrations
from deployer.changes.patches import marked, risks
from deployer.changes.phases import described
from deployer.changes.problems import with_names, with_names_taken, with_refusal
from deployer.checks.placing import check_zones
from deployer.checks.taken import names_taken
from deployer.cloud import Cloud
from deployer.decide import is_empty, owned
from deployer.deploy import check
from deployer.errors import CloudError, DeployError, Interrupted, LostSight, NotAllowed
from deployer.options import Host, Options
from deployer.plan import Plan, PlanVerb, StackPlan, compared, merged, needs_consent, predicted
from deployer.progress import Event, Notice, Owed
from deployer.run.change_sets import NOT_REVERTED, PREFIX, Preparer
from deployer.run.discard import remove_unexecuted
from deployer.run.leftovers import Scope, removals, scope, tags_of_stack
from deployer.run.polling_interval import PollingInterval
from deployer.run.rotations import rescheduled
from deployer.run.work import PENDING, STALE_SECONDS
from deployer.secrecy import hidden
from deployer.states import Change, ChangeSetRequest, ChangeSetState, Kind, StackState
from deployer.statuses import Row, Step, row
from generator.manifest import Manifest, StackSpec

PATIENCE_SECONDS = 600.0
"""How long a change set may take to be worked out."""
NO_EXPORT = "No export named"
"""AWS's words for an import whose export does not exist yet."""

EXPRESS = (
    "express mode: a stack ends before its resources are ready, and the deployment waits for these itself; "
    "what fails before its stack has ended is rolled back, what fails after it is not"
)
TAKEN_UP = "what an earlier destroy kept is imported first"


def plan(manifest: Manifest, cloud: Cloud, options: Options, host: Host, *, keep: bool = False) -> Plan:
    """
    Return what `deploy` would do; *keep* leaves its change sets there, for `deployer.changes.approved`.

    Raises:
        Refused: it cannot work as it is.
        Interrupted: a signal came; nothing is left behind.
        CloudError: AWS could not be asked.

    """
    told: list[Event] = []
    order = check(manifest, cloud, options.only, told.append)
    found = scope(manifest, order, cloud, whole=not options.only)
    check_zones(found, cloud)
    found, taken = with_names(found, cloud, options, told.append)
    made = _Preview(found, cloud, options, host, keep=keep).plan()
    made = with_expectation(made, found.manifest, found.graph, cloud)
    made = replace(made, stacks=tuple(with_names_taken(one, taken) for one in made.stacks))
    warnings = tuple(event.text for event in told if isinstance(event, Notice))
    if any(one.express != "never" for one in manifest.stacks):
        warnings += (EXPRESS,)
    refusal = names_taken(manifest.environment, taken, fresh=options.fresh)
    return replace(made, notices=warnings + made.notices, refusal=refusal)


def discard(plan: Plan, cloud: Cloud) -> None:
    """Remove the change sets that *plan* has kept, and the stacks under review that only they had made."""
    for stack in plan.stacks:
        if stack.change_set is not None:
            remove_unexecuted(cloud, stack.change_set, new=stack.stack is None)


@dataclass(frozen=True)
class _Asked:
    """A change set that was asked for."""

    spec: StackSpec
    stack: StackState | None
    change_set: ChangeSetState
    parameters: Mapping[str, str]

    @property
    def verb(self) -> PlanVerb:
        return "update" if row(self.stack.status if self.stack else None).deploy is Step.UPDATE else "create"


class _Preview:
    """One plan being made."""

    def __init__(self, scope: Scope, cloud: Cloud, options: Options, host: Host, *, keep: bool) -> None:
        self._scope = scope
        self._manifest = scope.manifest
        self._cloud = cloud
        self._options = options
        self._host = host
        self._keep = keep
        self._notices: list[str] = []
        self._preparer = Preparer(
            scope.manifest,
            cloud,
            self._note,
            host.run_id,
            revert_drift=options.revert_drift,
            env=options.env,
            push=options.push,
        )

    def plan(self) -> Plan:
        """Create all change sets in parallel, read each, then delete those that are not kept."""
        by_name = {spec.name: spec for spec in self._manifest.stacks}
        specs = [by_name[name] for name in self._scope.graph.names]
        states = {
            state.name: state for state in self._scope.states or () if state.status != "DELETE_COMPLETE"
        }
        asked: list[_Asked] = []
        kept: set[str] = set()
        try:
            plans = [self._begin(spec, states.get(spec.stack_name), asked) for spec in specs]
            done = tuple(self._read(one) if isinstance(one, _Asked) else one for one in plans)
            done = self._with_rotations(self._with_exports(done))
            self._notices += foretold_migrations(self._manifest, done, self._cloud)
            self._notices += [warning for spec in specs for warning in risks(spec)]
            kept = {stack.change_set.id for stack in done if stack.change_set}
        finally:
            for one in asked:
                if one.change_set.id not in kept:
                    self._remove(one)
        return Plan(
            self._manifest.environment,
            done,
            tuple(self._notices),
            env=self._options.env,
            allowed=tuple(sorted(self._options.allow_replace)),
            flags=self._options.flags,
            command=self._options.command,
        )

    def _with_exports(self, plans: tuple[StackPlan, ...]) -> tuple[StackPlan, ...]:
        """Add what the plans do to exports in use: what stops them, or the phases they take."""
        survey = Survey(self._scope, self._cloud, self._options, self._note)
        try:
            stopped, ways = foreseen(survey, self._scope, plans)
        except CloudError as error:
            self._notices.append(f"the effect on exports in use could not be checked: {error}")
            return plans
        self._notices += described(ways)
        refused = {one.producer: one for one in stopped}
        return tuple(with_refusal(one, refused[one.name]) if one.name in refused else one for one in plans)

    def _with_rotations(self, plans: tuple[StackPlan, ...]) -> tuple[StackPlan, ...]:
        """Add which plans would change the schedule of a stuck rotation."""
        specs = {spec.name: spec for spec in self._manifest.stacks}
        found = []
        for one in plans:
            arns = rescheduled(one.changes, specs[one.name].template, lambda _: None) if one.exact else ()
            try:
                looked = [self._cloud.rotating(arn) for arn in arns]
            except CloudError as error:
                self._notices.append(f"{one.name}: pending rotations could not be checked: {error}")
                looked = []
            env = self._options.env or self._manifest.environment
            problems = (each.refusal(env) for each in looked if each is not None and each.pending)
            found.append(replace(one, problems=(*one.problems, *problems)))
        return tuple(found)

    def _note(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._notices.append(f"{event.stack}: {event.text}" if event.stack else event.text)
        elif isinstance(event, Owed):
            self._host.tell(event)

    def _begin(self, spec: StackSpec, stack: StackState | None, asked: list[_Asked]) -> StackPlan | _Asked:
        status = row(stack.status if stack else None)
        if stack and spec.name in self._scope.leftovers:
            return self._leftover(spec, stack)
        if status.deploy not in {Step.CREATE, Step.UPDATE}:
            return self._without(spec, stack, status)
        if spec.name in self._scope.kept:
            return self._stack(spec, stack, "create", self._predicted(spec), TAKEN_UP)
        kind: Kind = "CREATE" if status.deploy is Step.CREATE else "UPDATE"
        try:
            request = self._named(self._preparer.request(spec, stack, kind, 0))
            made = self._cloud.create_change_set(request)
        except (LostSight, NotAllowed):
            raise
        except DeployError as error:
            return self._inexact(spec, stack, str(error))
        asked.append(_Asked(spec, stack, made, request.parameters))
        return asked[-1]

    def _named(self, request: ChangeSetRequest) -> ChangeSetRequest:
        """Return a change set name of this plan alone, so that no run and no plan uses another's."""
        name = f"{PREFIX}plan-{self._host.run_id}"
        description = f"gatestack plan {self._manifest.environment}"
        return replace(request, name=name, token=f"{request.token}-plan", description=description)

    def _leftover(self, spec: StackSpec, stack: StackState) -> StackPlan:
        """Plan the deletion of a stack that the environment no longer has."""
        problems = ("it has termination protection: switch that off in CloudFormation",)
        return self._stack(
            spec,
            stack,
            "delete",
            removals(stack, self._cloud),
            "it is no longer in the environment",
            exact=True,
            problems=problems if stack.protected else (),
        )

    def _without(self, spec: StackSpec, stack: StackState | None, status: Row) -> StackPlan:
        """Plan a stack that no change set can be made for in its status."""
        problems = []
        if status.deploy in {Step.WAIT, Step.STOP}:
            problems.append("plan again when it has finished")
        elif stack and not owned(stack, tags_of_stack(self._manifest, spec)):
            problems.append(
                "gatestack did not create this stack, and will neither delete it nor roll it back"
            )
        again = status.deploy is Step.RECREATE
        changes = self._predicted(spec) if again else self._compared(spec, stack)
        reason = f"{status.text}: {stack.reason}" if stack and stack.reason else status.text
        reason = f"{reason}; {TAKEN_UP}" if again and spec.name in self._scope.kept else reason
        verb: PlanVerb = "recreate" if again else "update"
        return self._stack(spec, stack, verb, changes, reason, problems=tuple(problems))

    def _predicted(self, spec: StackSpec) -> tuple[Change, ...]:
        """Predict what a new stack adds, and what it imports."""
        ids = {one.logical_id: one.physical_id for one in self._scope.kept.get(spec.name, ())}
        return tuple(
            replace(one, action="Import", physical_id=ids[one.logical_id]) if one.logical_id in ids else one
            for one in predicted(spec.template)
        )

    def _read(self, asked: _Asked) -> StackPlan:
        one = self._settled(asked.change_set)
        unreverted = self._options.revert_drift and asked.verb == "update" and not one.reverts_drift
        if unreverted and NOT_REVERTED not in self._notices:
            self._notices.append(NOT_REVERTED)
        if is_empty(one):
            return self._stack(asked.spec, asked.stack, "none", (), "nothing to change", exact=True)
        if one.status in PENDING:
            text = "AWS did not finish the change set in time"
            return self._inexact(asked.spec, asked.stack, text, asked.parameters)
        if one.status == "FAILED":
            failures = self._cloud.change_set_failures(one.id)
            return self._inexact(
                asked.spec, asked.stack, "; ".join([one.reason, *failures]), asked.parameters
            )
        whole = merged(one, self._cloud.change_set_values(one.id))
        found = row(asked.stack.status if asked.stack else None)
        changes = tuple(hidden(change) for change in whole.changes)
        exact = self._stack(asked.spec, asked.stack, asked.verb, changes, found.text, exact=True)
        kept = one if self._keep else None
        read = replace(exact, change_set=kept, parameters=asked.parameters)
        return with_contents(read, asked.spec, self._scope, self._cloud)

    def _inexact(
        self,
        spec: StackSpec,
        stack: StackState | None,
        problem: str,
        parameters: Mapping[str, str] | None = None,
    ) -> StackPlan:
        """Plan from the templates alone; an import whose export does not exist yet is no problem."""
        later = NO_EXPORT in problem
        updates = row(stack.status if stack else None).deploy is Step.UPDATE
        changes = self._compared(spec, stack) if updates else predicted(spec.template)
        reason = "what it imports does not exist yet" if later else "AWS created no change set"
        verb: PlanVerb = "update" if updates else "create"
        found = self._stack(spec, stack, verb, changes, reason, problems=() if later else (problem,))
        return replace(found, parameters=parameters or {})

    def _stack(
        self,
        spec: StackSpec,
        stack: StackState | None,
        verb: PlanVerb,
        changes: tuple[Change, ...],
        reason: str,
        *,
        exact: bool = False,
        problems: tuple[str, ...] = (),
    ) -> StackPlan:
        changes = marked(changes, spec)
        risky = needs_consent(changes, self._options.allow_replace) if exact else ()
        names = tuple(change.logical_id for change in risky)
        return StackPlan(spec.name, spec.stack_name, verb, exact, changes, reason, problems, names, stack)

    def _compared(self, spec: StackSpec, stack: StackState | None) -> tuple[Change, ...]:
        if stack is None:
            return predicted(spec.template)
        try:
            return compared(self._cloud.template(stack.id), spec.template)
        except (CloudError, ValueError):
            return ()

    def _settled(self, one: ChangeSetState) -> ChangeSetState:
        began = self._host.clock()
        interval = PollingInterval(self._options.poll_interval, began)
        while self._host.clock() - began < PATIENCE_SECONDS:
            if self._host.stop():
                raise Interrupted("interrupted: nothing was changed, and nothing of the plan is left behind")
            found = self._cloud.change_set(one.id)
            if found is None and self._host.clock() - began > STALE_SECONDS:
                return replace(one, status="FAILED", reason="AWS does not show the change set that it made")
            one = found or one
            if one.status not in PENDING:
                break
            self._host.sleep(interval.pause(self._host.clock()))
        return one

    def _remove(self, asked: _Asked) -> None:
        """Remove a change set, and the stack under review that only it had made."""
        try:
            remove_unexecuted(self._cloud, asked.change_set, new=asked.stack is None)
        except DeployError as error:
            self._notices.append(f"{asked.spec.name}: what the plan made could not be removed: {error}")
