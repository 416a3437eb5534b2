"""
The plan of an environment: real change sets, read and removed again; else what the templates say.

Leaves nothing behind, and changes nothing that can be seen in a stack.
"""

from __future__ import annotations

from dataclasses import dataclass

from deployer.cloud import Change, ChangeSetState, Cloud, Kind, StackState
from deployer.decide import is_empty, owned
from deployer.deploy import check
from deployer.errors import CloudError, DeployError, LostSight, NotAllowed
from deployer.hand import remove_shell
from deployer.options import Host, Options
from deployer.pace import Pace
from deployer.plan import Plan, PlanVerb, StackPlan, compared, merged, needs_consent, predicted
from deployer.prepare import Preparer, tags_of
from deployer.progress import Event, Notice
from deployer.statuses import Row, Step, row
from deployer.work import PENDING
from generator.manifest import Manifest, StackSpec

PATIENCE_SECONDS = 600.0
"""How long a change set may take to be worked out."""
NO_EXPORT = "No export named"
"""AWS's words for an import whose export does not exist yet."""


def plan(manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> Plan:
    """
    Return what `deploy` would do.

    Raises:
        Refused: it cannot work as it is.
        CloudError: AWS could not be asked.

    """
    order = check(manifest, cloud, options.only)
    specs = {spec.name: spec for spec in manifest.stacks}
    return _Preview(manifest, cloud, options, host).plan([specs[name] for name in order.names])


@dataclass(frozen=True)
class _Asked:
    """A change set that was asked for."""

    spec: StackSpec
    stack: StackState | None
    change_set: ChangeSetState

    @property
    def verb(self) -> PlanVerb:
        return "update" if row(self.stack.status if self.stack else None).deploy is Step.UPDATE else "create"


class _Preview:
    """One plan being made."""

    def __init__(self, manifest: Manifest, cloud: Cloud, options: Options, host: Host) -> None:
        self._manifest = manifest
        self._cloud = cloud
        self._options = options
        self._host = host
        self._notices: list[str] = []
        self._preparer = Preparer(manifest, cloud, self._note, host.run_id)

    def plan(self, specs: list[StackSpec]) -> Plan:
        """Ask for all change sets at once, then read each, then remove them all."""
        states = {state.name: state for state in self._cloud.stacks([spec.stack_name for spec in specs])}
        asked: list[_Asked] = []
        try:
            plans = [self._begin(spec, states.get(spec.stack_name), asked) for spec in specs]
            done = tuple(self._read(one) if isinstance(one, _Asked) else one for one in plans)
        finally:
            for one in asked:
                self._remove(one)
        return Plan(self._manifest.environment, done, tuple(self._notices))

    def _note(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._notices.append(f"{event.stack}: {event.text}" if event.stack else event.text)

    def _begin(self, spec: StackSpec, stack: StackState | None, asked: list[_Asked]) -> StackPlan | _Asked:
        status = row(stack.status if stack else None)
        if status.deploy not in {Step.CREATE, Step.UPDATE}:
            return self._without(spec, stack, status)
        kind: Kind = "CREATE" if status.deploy is Step.CREATE else "UPDATE"
        try:
            made = self._cloud.create_change_set(self._preparer.request(spec, stack, kind, 0))
        except (LostSight, NotAllowed):
            raise
        except DeployError as error:
            return self._inexact(spec, stack, str(error))
        asked.append(_Asked(spec, stack, made))
        return asked[-1]

    def _without(self, spec: StackSpec, stack: StackState | None, status: Row) -> StackPlan:
        """Plan a stack that no change set can be made for in its status."""
        problems = []
        if status.deploy in {Step.WAIT, Step.STOP}:
            problems.append("plan again when it has come to an end")
        elif stack and not owned(stack, tags_of(self._manifest, spec)):
            problems.append("gatestack did not make this stack, and will neither delete it nor roll it back")
        again = status.deploy is Step.RECREATE
        changes = predicted(spec.template) if again else self._compared(spec, stack)
        reason = f"{status.text}: {stack.reason}" if stack and stack.reason else status.text
        verb: PlanVerb = "recreate" if again else "update"
        return self._stack(spec, verb, changes, reason, problems=tuple(problems))

    def _read(self, asked: _Asked) -> StackPlan:
        one = self._settled(asked.change_set)
        if is_empty(one):
            return self._stack(asked.spec, "none", (), "nothing to change", exact=True)
        if one.status in PENDING:
            return self._inexact(asked.spec, asked.stack, "AWS has not worked the change set out in time")
        if one.status == "FAILED":
            failures = self._cloud.change_set_failures(one.id)
            return self._inexact(asked.spec, asked.stack, "; ".join([one.reason, *failures]))
        whole = merged(one, self._cloud.change_set_values(one.id))
        found = row(asked.stack.status if asked.stack else None)
        return self._stack(asked.spec, asked.verb, whole.changes, found.text, exact=True)

    def _inexact(self, spec: StackSpec, stack: StackState | None, problem: str) -> StackPlan:
        """Plan from the templates alone; what waits for an export that is still to come is no problem."""
        later = NO_EXPORT in problem
        updates = row(stack.status if stack else None).deploy is Step.UPDATE
        changes = self._compared(spec, stack) if updates else predicted(spec.template)
        reason = "what it imports does not exist yet" if later else "AWS made no change set"
        verb: PlanVerb = "update" if updates else "create"
        return self._stack(spec, verb, changes, reason, problems=() if later else (problem,))

    def _stack(
        self,
        spec: StackSpec,
        verb: PlanVerb,
        changes: tuple[Change, ...],
        reason: str,
        *,
        exact: bool = False,
        problems: tuple[str, ...] = (),
    ) -> StackPlan:
        risky = needs_consent(changes, self._options.allow_replace) if exact else ()
        names = tuple(change.logical_id for change in risky)
        return StackPlan(spec.name, spec.stack_name, verb, exact, changes, reason, problems, names)

    def _compared(self, spec: StackSpec, stack: StackState | None) -> tuple[Change, ...]:
        if stack is None:
            return predicted(spec.template)
        try:
            return compared(self._cloud.template(stack.id), spec.template)
        except (CloudError, ValueError):
            return ()

    def _settled(self, one: ChangeSetState) -> ChangeSetState:
        began = self._host.clock()
        pace = Pace(self._options.poll_interval, began)
        while self._host.clock() - began < PATIENCE_SECONDS:
            one = self._cloud.change_set(one.id) or one
            if one.status not in PENDING:
                break
            self._host.sleep(pace.pause(self._host.clock()))
        return one

    def _remove(self, asked: _Asked) -> None:
        """Remove a change set, and the stack under review that only it had made."""
        try:
            self._cloud.delete_change_set(asked.change_set.id)
            if asked.stack is None:
                token = self._preparer.token("shell", asked.change_set.stack_id)
                remove_shell(self._cloud, asked.change_set, token)
        except DeployError as error:
            self._notices.append(f"{asked.spec.name}: what the plan made could not be removed: {error}")
