"""Carries out one action on one stack, and records the response. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from deployer import expected
from deployer.actions import (
    Action,
    Compare,
    ContinueRollback,
    CreateChangeSet,
    DeleteChangeSet,
    DeleteStack,
    Execute,
    Inspect,
    Protect,
    RollBack,
)
from deployer.causes import first_cause, operation, stuck
from deployer.changes.approval import differences as from_prediction
from deployer.cloud import Cloud
from deployer.errors import CloudError, DeployError, MovedOn, NotOffered, Protected
from deployer.expected import resources_of
from deployer.history.durations import Touched, of_changes, of_template
from deployer.kept import kept, policies_of
from deployer.observed import live
from deployer.progress import Notice, StackStarted, Tell
from deployer.run.change_sets import NO_EXPRESS, NOT_REVERTED, PREFIX, Preparer
from deployer.run.discard import remove_unexecuted
from deployer.run.first_creation import never_whole, said
from deployer.run.skipped import check_mended, measure, tell_skipped
from deployer.run.work import PENDING, Work
from deployer.stateful import STATEFUL
from deployer.states import ChangeSetRequest, ChangeSetState, Kind
from deployer.statuses import RESOURCE_GONE, ROLLBACK_FAILED


class Executor:
    """Carries out the actions of a run on its stacks."""

    def __init__(
        self,
        cloud: Cloud,
        preparer: Preparer,
        tell: Tell,
        value_of: Callable[[str], str | None],
        *,
        production: bool,
    ) -> None:
        self._cloud = cloud
        self._preparer = preparer
        self._tell = tell
        self._value_of = value_of
        self._production = production
        self._told_standard = False

    def carry_out(self, work: Work, action: Action, now: float) -> None:
        """
        Do *action*; every request can be repeated with the same effect.

        Raises:
            DeployError: AWS refused, or could not be reached; nothing is recorded then.

        """
        match action:
            case CreateChangeSet():
                self._create(work, action, now)
            case Compare():
                self._compare(work)
            case Execute():
                self._execute(work, action, now)
            case DeleteChangeSet():
                self._drop(work, action)
            case Inspect():
                self._inspect(work)
            case DeleteStack():
                self._delete(work, now)
            case Protect():
                self._protect(work, action)
            case ContinueRollback() | RollBack():
                self._repair(work, action, now)
            case _:
                raise TypeError(f"{action} is nothing to carry out")

    def clean_up(self, work: Work) -> None:
        """Remove the change set that was not executed, and the stack that only it had made."""
        one = work.change_set
        if one is None or work.history.executed is not None:
            return
        planned = work.approval.planned if work.approval else None
        if work.approval and work.approval.lasting and work.approval.planned.change_set_id == one.id:
            return  # it belongs to the plan, which can be executed again as long as nothing has changed
        try:
            new = work.first is None or (planned is not None and planned.change_set_id and not planned.status)
            remove_unexecuted(self._cloud, one, new=bool(new) and work.goal == "deploy" and not work.asked)
        except DeployError as error:
            text = f"the change set {one.name} could not be removed: {error}"
            self._tell(Notice(text, work.name, warning=True))

    def _create(self, work: Work, action: CreateChangeSet, now: float) -> None:
        if work.history.kind == "IMPORT" and work.history.executed and action.kind == "UPDATE":
            work.begin_update()
        if work.history.skipped and action.kind == "UPDATE":
            measure(work, self._cloud, self._tell)
        attempt = work.history.change_sets
        kind: Kind = "IMPORT" if action.kind == "CREATE" and work.to_import else action.kind
        if work.request is None or work.request.kind != kind:
            revert, imports = bool(work.history.skipped), work.to_import if kind == "IMPORT" else ()
            work.request = self._preparer.request(
                work.spec, work.stack, kind, attempt, revert=revert, imports=imports
            )
        request = work.request
        if work.stack is not None and work.stack.status == "REVIEW_IN_PROGRESS":
            self._remove_old(work.stack.id, request.name)
        try:
            made = self._cloud.create_change_set(request)
        except NotOffered as error:
            if not work.to_import:
                raise
            work.to_import = ()
            self._tell(Notice(f"what was kept is not imported: {error}", work.name, warning=True))
            self._create(work, action, now)
            return
        if made.inputs is not None:
            made = self._taken_up(work, request, made)
        if made.status not in PENDING and made.execution != "AVAILABLE":
            self._cloud.delete_change_set(made.id)
            raise MovedOn(f"an old change set {made.name} is removed")
        work.change_set, work.made_at, work.asked_for = made, now, 0
        work.base = work.version() if action.kind == "UPDATE" else ()
        work.history = replace(work.history, change_sets=attempt + 1, kind=kind, empty=False, premature=False)

    def _taken_up(self, work: Work, request: ChangeSetRequest, found: ChangeSetState) -> ChangeSetState:
        """Use a change set that existed under the name, if it matches the request; else create a new one."""
        different = self._preparer.differences(work.spec, request, found)
        if not different:
            work.compared = found.id
            return found
        text = f"the change set {found.name} existed and is not what was requested ({'; '.join(different)})"
        self._tell(Notice(f"{text}: it is removed", work.name, warning=True))
        self._cloud.delete_change_set(found.id)
        work.request = self._preparer.renamed(request)
        return self._cloud.create_change_set(work.request)

    def _compare(self, work: Work) -> None:
        if work.request is None or work.change_set is None:
            return
        if different := self._preparer.differences(work.spec, work.request, work.change_set):
            what = f"the change set {work.change_set.name} is not what was requested ({'; '.join(different)})"
            raise Protected(f"{what}: CloudTrail's CreateChangeSet says who created it; then deploy again")
        work.compared = work.change_set.id

    def _remove_old(self, stack_id: str, name: str) -> None:
        for other, change_set_id in self._cloud.change_set_names(stack_id).items():
            if other.startswith(PREFIX) and other != name:
                self._cloud.delete_change_set(change_set_id)

    def _execute(self, work: Work, action: Execute, now: float) -> None:
        parameters = work.request.parameters if work.request else {}
        predicted = work.approval is not None and not work.approval.planned.exact
        if work.approval and predicted and work.change_set and not (work.request and work.request.imports):
            for text in from_prediction(work.approval.planned, work.change_set, parameters):
                self._tell(Notice(text, work.name))
        kind: Kind = "IMPORT" if work.request and work.request.imports else action.kind
        changes = work.change_set.changes if work.change_set else ()
        self._preparer.parameters.groups.check_current(work.spec, live(work.stack), parameters, changes)
        if work.spec.uploads and kind != "IMPORT":
            self._preparer.upload(work.spec, parameters, self._value_of)
        creation = kind != "IMPORT" and live(work.stack) is None
        self._tell_unreverted(work)
        self._tell_standard(work)
        check_mended(work)
        token = self._preparer.token("execute", action.change_set_id)
        self._cloud.execute(action.change_set_id, token, creation=creation)
        work.acted(now, executed=action.change_set_id, kind=kind)
        if kind == "IMPORT":
            what = ", ".join(map(str, work.to_import))
            self._tell(Notice(f"imported as an earlier destroy kept it: {what}", work.name))
        whole = resources_of(work.spec.template)
        self._started(work, of_template(whole, "create") if action.kind == "CREATE" else of_changes(changes))

    def _tell_unreverted(self, work: Work) -> None:
        wanted = work.request is not None and work.request.revert_drift
        if wanted and work.change_set and not work.change_set.reverts_drift:
            self._tell(Notice(NOT_REVERTED, work.name, warning=True))

    def _tell_standard(self, work: Work) -> None:
        """Report once that an endpoint ignores the requested mode."""
        inputs = work.change_set.inputs if work.change_set else None
        asked = work.request is not None and work.request.express and not self._told_standard
        if asked and inputs and not inputs.express:
            self._told_standard = True
            self._tell(Notice(NO_EXPRESS, work.name))

    def _drop(self, work: Work, action: DeleteChangeSet) -> None:
        self._tell_unreverted(work)
        self._cloud.delete_change_set(action.change_set_id)
        work.forget_change_set()
        work.history = replace(work.history, empty=action.empty, premature=action.premature)

    def _inspect(self, work: Work) -> None:
        if work.stack is None:
            return
        names = self._cloud.change_set_names(work.stack.id)
        work.foreign = tuple(name for name in names if not name.startswith(PREFIX))
        there = self._cloud.resources(work.stack.id)
        if work.stack.status == ROLLBACK_FAILED:
            work.stuck = stuck(self._cloud.events(work.stack.id))
        never = self._never_whole(work)
        work.data = tuple(
            resource.logical_id
            for resource in there
            if not never
            and resource.type in STATEFUL
            and resource.physical_id
            and resource.status not in RESOURCE_GONE
        )

    def _protect(self, work: Work, action: Protect) -> None:
        self._cloud.protect(work.stack.id if work.stack else work.spec.stack_name, on=action.on)
        history = work.history
        on, off = history.protected or action.on, history.unprotected or not action.on
        work.history = replace(history, protected=on, unprotected=off)

    def _repair(self, work: Work, action: ContinueRollback | RollBack, now: float) -> None:
        if work.stack is None:
            return
        history = work.history
        if not history.continues + history.rollbacks:
            self._say_why(work, work.stack.id)
        if isinstance(action, ContinueRollback):
            token = self._preparer.token("continue", work.stack.id, history.continues, *action.skip)
            self._cloud.continue_rollback(work.stack.id, token, action.skip)
            skipped = tuple(sorted({*history.skipped, *action.skip}))
            work.acted(now, continues=history.continues + 1, skipped=skipped)
            if action.skip:
                work.drifted = None
                tell_skipped(work, action.skip, self._tell)
        else:
            token = self._preparer.token("roll back", work.stack.id, history.rollbacks)
            self._cloud.roll_back(work.stack.id, token)
            work.acted(now, rollbacks=history.rollbacks + 1)

    def _say_why(self, work: Work, stack_id: str) -> None:
        """Report the first cause of the failure that a stack was found in, from one read of its events."""
        with suppress(CloudError):
            if cause := first_cause(operation(self._cloud.events(stack_id))):
                self._tell(Notice(f"it was left by a failure: {cause}", work.name, warning=True))

    def _delete(self, work: Work, now: float) -> None:
        if work.stack is None:
            return
        if work.goal == "destroy":
            self._before_removal(work, work.stack.id)
        else:
            if not work.history.deletes:
                self._say_why(work, work.stack.id)
            if self._never_whole(work):
                self._before_removal(work, work.stack.id)
                work.to_import = self._preparer.importable(work.spec, work.kept, work.to_import)
        token = self._preparer.token("delete", work.stack.id, work.history.deletes)
        self._cloud.delete_stack(work.stack.id, token)
        work.forget_change_set()
        work.acted(now, deletes=work.history.deletes + 1)
        self._started(work, of_template(resources_of(work.spec.template), "delete"))

    def _started(self, work: Work, touched: tuple[Touched, ...]) -> None:
        """Report that AWS has begun; the expected time is unknown until the events are read."""
        work.touched = touched
        usual = expected.seconds(touched, work.spec.template)
        self._tell(StackStarted(work.name, work.verb, len(touched), usual))

    def _never_whole(self, work: Work) -> bool:
        one = work.stack
        return one is not None and never_whole(one.status, lambda: self._cloud.events(one.id))

    def _before_removal(self, work: Work, stack_id: str) -> None:
        """
        Record what the live template keeps; empty the buckets to delete; unlock resources with --force.

        What a failed first creation has left is unlocked and emptied without --force.
        """
        if work.stack is not None and work.stack.status == "REVIEW_IN_PROGRESS":
            return
        template, resources = self._cloud.template(stack_id), self._cloud.resources(stack_id)
        policies, work.kept = policies_of(template), kept(template, resources, stack_id)
        there = [one for one in resources if one.status not in RESOURCE_GONE]
        never = self._never_whole(work)
        if never and (text := said(there)):
            self._tell(Notice(text, work.name, warning=True))
        for one in there if work.desired.force or never else ():
            if policies.get(one.logical_id, "Delete") != "Retain":
                self._cloud.unlock(one)
        staying = {one.logical_id for one in work.kept}
        going = [one for one in there if one.physical_id and one.logical_id not in staying]
        work.log_groups = tuple(one.physical_id for one in going if one.type == "AWS::Logs::LogGroup")
        buckets = [one for one in there if one.type == "AWS::S3::Bucket" and one.logical_id not in staying]
        for bucket in buckets if never or not self._production else ():
            if bucket.physical_id and self._cloud.empty_bucket(bucket.physical_id) is None:
                text = f"the bucket {bucket.physical_id} could not be emptied: this endpoint has no S3"
                self._tell(Notice(text, work.name))
