"""
Executes a reviewed plan, or refuses: everything is compared before anything is changed.

Changes that an earlier run of the same plan has executed count as done, so an interrupted run is resumed by
the same command.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from deployer.changes.approval import AGAIN, Approval
from deployer.changes.comparison import same_template
from deployer.changes.export_gate import Detour
from deployer.changes.phases import deploy_in_phases
from deployer.changes.planfile import PlanFile, PlannedStack, digests, version
from deployer.checks.taking import looked_around
from deployer.cloud import Cloud
from deployer.deploy import check
from deployer.errors import DeployError, Protected
from deployer.options import Host, Options
from deployer.plan import consent_flags, needs_consent
from deployer.progress import Event, Result, execution
from deployer.run.backoff import with_backoff
from deployer.run.change_sets import Preparer
from deployer.run.discard import remove_unexecuted
from deployer.run.leftovers import Scope, scope
from deployer.run.loop import Run
from deployer.states import Change, ChangeSetState, Kind, StackState
from deployer.statuses import SUCCEEDED, Step, row
from generator.manifest import INDEX, Manifest, StackSpec

EXECUTABLE = "AVAILABLE"


def deploy_plan(
    manifest: Manifest, plan: PlanFile, cloud: Cloud, options: Options, host: Host, *, file: str = ""
) -> Result:
    """
    Execute exactly what *plan* says.

    *file* is where it was read from. A plan without a file cannot be executed again: its remaining change
    sets are removed. It may take several passes.

    Raises:
        Protected: something is no longer as it was reviewed, or data would be lost; nothing was changed.
        Refused: it cannot work as it is; nothing was changed.
        CloudError: AWS could not be asked at all; nothing was changed.

    """
    allowed = options.allow_replace | set(plan.allow_replace)
    permitted = replace(options, allow_replace=allowed)
    try:
        found, approvals = with_backoff(host, lambda: _checked(manifest, plan, cloud, permitted, host, file))
    except DeployError:
        if not file:
            _withdraw(plan, cloud)
        raise
    chosen = replace(
        options,
        only=frozenset(),
        allow_replace=allowed,
        migrate_exports=options.migrate_exports or plan.migrate_exports,
        revert_drift=plan.revert_drift,
    )
    try:
        run = Run(found, goal="deploy", cloud=cloud, options=chosen, host=host, approvals=approvals)
        result = replace(run.run(), plan=file)
    except Detour:
        result = deploy_in_phases(replace(found, states=None), cloud, chosen, host)
    planned = frozenset(one.name for one in plan.stacks)
    return replace(result, flags=replace(chosen, only=frozenset() if plan.whole else planned).flags)


def _checked(
    manifest: Manifest, plan: PlanFile, cloud: Cloud, options: Options, host: Host, file: str
) -> tuple[Scope, Mapping[str, Approval]]:
    lasting = bool(file)
    _check_place(plan, manifest)
    _check_consent(plan, options, file)
    specs = {spec.name: spec for spec in manifest.stacks}
    _check_files(plan, manifest)
    kept = [stack.name for stack in plan.stacks if stack.action != "delete"]
    order = check(manifest, cloud, kept, host.tell if lasting else _told_already)
    found = scope(manifest, order, cloud, whole=plan.whole)
    _check_account(plan, found)
    found = looked_around(found, cloud, host.tell, fresh=options.fresh)
    approvals = _Checks(plan, specs, found, cloud, host, lasting=lasting).approvals()
    going = {stack.name for stack in plan.stacks if stack.action == "delete"}
    if unseen := sorted(found.leftovers - going):
        raise Protected(f"{', '.join(unseen)} would be deleted and is not in the plan: {AGAIN}")
    return found, approvals


def _told_already(_: Event) -> None:
    """Drop notices of a plan without a file: they were just shown with it."""


def _withdraw(plan: PlanFile, cloud: Cloud) -> None:
    """Remove the change sets of a plan that cannot be executed again."""
    for one in plan.stacks:
        made = ChangeSetState(one.change_set_name, one.change_set_id, one.stack_id, "")
        with suppress(DeployError):
            if one.change_set_id:
                remove_unexecuted(cloud, made, new=one.action == "create")


def _check_place(plan: PlanFile, manifest: Manifest) -> None:
    pairs = (
        ("environment", plan.environment, manifest.environment),
        ("region", plan.region, manifest.region),
        ("account", plan.account, manifest.account or plan.account),
    )
    for what, planned, wanted in pairs:
        if planned != wanted:
            raise Protected(f"the plan is for the {what} {planned}, this is {wanted}: {AGAIN}")


def _check_account(plan: PlanFile, found: Scope) -> None:
    """Refuse another account, by the ids of the plan's stacks; no call is needed."""
    for state in found.states or ():
        account = state.id.split(":")[4] if state.id.count(":") >= 5 else plan.account
        if account != plan.account:
            raise Protected(f"the plan is for the account {plan.account}, this is {account}: {AGAIN}")


def _check_consent(plan: PlanFile, options: Options, file: str) -> None:
    planned = [one for stack in plan.stacks if stack.exact for one in stack.changes]
    if risky := needs_consent(planned, options.allow_replace):
        flags = (*options.flags, *(consent_flags([change.logical_id]) for change in risky))
        names = ", ".join(f"{change.logical_id} ({change.type})" for change in risky)
        command = execution(options.env or plan.environment, file, *flags)
        raise Protected(f"the plan replaces or removes {names}, which holds data; to allow it: {command}")


def _check_files(plan: PlanFile, manifest: Manifest) -> None:
    """Refuse a built folder that differs from the planned one in any byte."""
    specs = {spec.name: spec for spec in manifest.stacks}
    planned = {stack.name: stack for stack in plan.stacks if stack.action != "delete"}
    other = planned.keys() ^ specs.keys() if plan.whole else planned.keys() - specs.keys()
    if other:
        names = ", ".join(sorted(other))
        raise Protected(f"the set of stacks has changed since the plan ({names}): {AGAIN}")
    found = digests(manifest)
    for file in sorted({**found, **plan.files}, key=lambda name: name == INDEX):
        if plan.files.get(file) != found.get(file):
            named = file.removesuffix(".json")
            what = f"{named}: the template" if named in specs else file
            raise Protected(f"{what} is not the one that was planned: {AGAIN}")
    for name, stack in planned.items():
        if specs[name].stack_name != stack.stack_name:
            raise Protected(f"{name}: the stack was called {stack.stack_name} when it was planned: {AGAIN}")


class _Checks:
    """The plan against what AWS has now."""

    def __init__(
        self,
        plan: PlanFile,
        specs: Mapping[str, StackSpec],
        found: Scope,
        cloud: Cloud,
        host: Host,
        *,
        lasting: bool,
    ) -> None:
        self._lasting = lasting
        manifest = replace(found.manifest, account=plan.account or found.manifest.account)
        self._preparer = Preparer(manifest, cloud, host.tell, host.run_id, revert_drift=plan.revert_drift)
        self._plan = plan
        self._specs = specs
        self._states = {
            state.name: state for state in found.states or () if state.status != "DELETE_COMPLETE"
        }
        self._cloud = cloud

    def approvals(self) -> dict[str, Approval]:
        """Return what was approved of each stack; raises Protected where it is not as it was."""
        return {stack.name: self._approval(stack) for stack in self._plan.stacks}

    def _approval(self, planned: PlannedStack) -> Approval:
        state = self._states.get(planned.stack_name)
        if self._is_executed(planned, state):
            return Approval(planned, self._of_plan(planned), executed=True, lasting=self._lasting)
        if not self._is_as_planned(planned, state):
            now = f"it is {state.status} now" if state else f"it is not in account {self._plan.account} now"
            raise Protected(f"{planned.name}: the stack was changed after it was planned ({now}): {AGAIN}")
        if not planned.change_set_id:
            return Approval(planned, lasting=self._lasting)
        found = self._of_plan(planned)
        if found is None or found.execution != EXECUTABLE:
            how = f"is {found.execution}" if found else "is gone"
            raise Protected(f"{planned.name}: the change set {planned.change_set_name} {how}: {AGAIN}")
        if found.stack_id != planned.stack_id or not _same(found.changes, planned.changes):
            raise Protected(f"{planned.name}: the change set is not the one that was reviewed: {AGAIN}")
        spec = self._specs[planned.name]
        kind: Kind = "CREATE" if planned.action == "create" else "UPDATE"
        wanted = self._preparer.wanted(spec, state, kind, planned.parameters)
        if different := self._preparer.differences(spec, wanted, found):
            what = f"the change set is not the one that was reviewed ({'; '.join(different)})"
            raise Protected(f"{planned.name}: {what}: {AGAIN}")
        return Approval(planned, found, lasting=self._lasting)

    def _of_plan(self, planned: PlannedStack) -> ChangeSetState | None:
        return self._cloud.change_set(planned.change_set_id)

    def _is_executed(self, planned: PlannedStack, state: StackState | None) -> bool:
        """Whether the reviewed change set was executed already: it succeeded, or is in progress."""
        if state is None or not planned.change_set_id or state.status == "REVIEW_IN_PROGRESS":
            return False
        same = (state.id, state.change_set_id) == (planned.stack_id, planned.change_set_id)
        good = state.status in SUCCEEDED or row(state.status).deploy is Step.WAIT
        if same and not good:
            what = f"the plan was executed, and the stack ended as {state.status}"
            raise Protected(f"{planned.name}: {what}: {AGAIN}")
        return same

    def _is_as_planned(self, planned: PlannedStack, state: StackState | None) -> bool:
        if state is None:
            return planned.action == "delete" or not planned.stack_id
        if planned.action == "delete" and state.status.startswith("DELETE_"):
            return state.id == planned.stack_id
        if planned.status:
            return version(state) == planned.version or self._was_reached(planned, state)
        if state.status == "REVIEW_IN_PROGRESS":
            return planned.stack_id in {"", state.id}
        return self._was_reached(planned, state)

    def _was_reached(self, planned: PlannedStack, state: StackState) -> bool:
        """Whether an earlier run of this plan already made a predicted stack what was planned."""
        if planned.exact or planned.action == "delete" or state.status not in SUCCEEDED:
            return False
        return same_template(self._cloud.template(state.id), self._specs[planned.name].template)


def _same(found: Collection[Change], planned: Collection[Change]) -> bool:
    """
    Whether everything in a change set was reviewed. (Values can add to the review, never remove from it.)
    """
    return {_key(change) for change in found} <= {_key(change) for change in planned}


def _key(change: Change) -> tuple[str, str, str, str | None]:
    return (change.action, change.logical_id, change.type, change.replacement)
