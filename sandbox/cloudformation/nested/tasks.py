"""Operations on a nested stack: starts one there, and continues when it ends."""

from __future__ import annotations

from sandbox.cloudformation.account import STACK_TYPE, Account
from sandbox.cloudformation.deleting import Deleting
from sandbox.cloudformation.records import Leftover, Resource, Stack
from sandbox.cloudformation.restoring import Restoring
from sandbox.cloudformation.runs import Report, Task
from sandbox.cloudformation.tasks import Creating, Updating, Working
from sandbox.cloudformation.templates.evaluation import Evaluation, evaluated
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.provisioning import Provisioned, ProvisionError

TYPE_CHANGED = (
    "Update of resource type is not permitted. The new template modifies resource type of the following "
    "resources: [{}]"
)


def creating(account: Account, stack: Stack, spec: ResourceSpec, evaluation: Evaluation) -> Task:
    """Return the task that creates the resource."""
    kind = CreatingNested if spec.type == STACK_TYPE else Creating
    return kind(account, stack, spec, evaluation)


def updating(account: Account, stack: Stack, spec: ResourceSpec, evaluation: Evaluation) -> Task:
    """Return the task that updates the resource to the wanted state."""
    types = (spec.type, stack.resources[spec.logical_id].spec.type)
    return (UpdatingNested if STACK_TYPE in types else Updating)(account, stack, spec, evaluation)


def restoring(account: Account, stack: Stack, name: str, *, skipped: bool) -> Task:
    """Return the task that restores the resource."""
    nested = stack.resources[name].spec.type == STACK_TYPE and not skipped
    return (RestoringNested if nested else Restoring)(account, stack, name, skipped=skipped)


def _attributes(child: Stack) -> Provisioned:
    return Provisioned(child.id, {f"Outputs.{each.key}": each.value for each in child.outputs})


class _Around(Working):
    """The common part of all while the nested stack is busy."""

    _done: str
    """The verb for failures: created, updated, deleted."""

    def _child(self) -> Stack:
        return self._account.stacks[self.resource.physical_id]

    def _await(self, good: tuple[str, ...]) -> None:
        child = self._child()
        child.listener = lambda: self._ended(child, good) if self._live else None

    def _ended(self, child: Stack, good: tuple[str, ...]) -> None:
        if child.status in good:
            self._settle(child)
            return
        why = (child.events[-1].reason or "").strip()
        self._fail(f"Embedded stack {child.id} was not successfully {self._done}: {why}")

    def _settle(self, child: Stack) -> None:
        self.resource.made = _attributes(child)
        self._succeed()


class CreatingNested(_Around, Creating):
    """Creates a nested stack."""

    _done = "created"

    def _initiate(self) -> None:
        reason = self._attempt(self._make)
        if reason is not None:
            self._fail(reason)
            return
        self._say("IN_PROGRESS", "Resource creation Initiated")
        self._await(("CREATE_COMPLETE",))

    def _make(self) -> None:
        request = evaluated(self.resource, self._evaluation)
        self._check_required()
        self._account.permit(self._stack, "create", request)
        self.resource.made = _attributes(self._account.nested.create(self._stack, request))

    def cancel(self) -> None:
        """Cancel the nested stack too."""
        if self.resource.made is not None and self._child().busy:
            self._account.nested.cancel(self._child(), "CREATE_FAILED")
        super().cancel()


class UpdatingNested(_Around, Updating):
    """Updates a nested stack: its template may differ, whatever the resource's properties."""

    _done = "updated"

    def _kind(self) -> str | None:
        return "Modify"

    def _modify(self, report: Report) -> None:
        self._begin(report)
        if self._before.spec.type != self._spec.type:
            self._later(0, lambda: self._fail(TYPE_CHANGED.format(self._spec.logical_id)))
            return
        self._say("IN_PROGRESS")
        if not self._hooked():
            self._later(1.0, self._initiate)

    def _initiate(self) -> None:
        changed: list[bool] = []
        reason = self._attempt(lambda: changed.append(self._change_inside()))
        if reason is not None:
            self._fail(reason)
        elif changed[0]:
            self._await(("UPDATE_COMPLETE",))
        else:
            self._settle(self._child())

    def _change_inside(self) -> bool:
        request = self.resource.request
        if request is None or self._before.made is None:
            raise ProvisionError(f"The nested stack {self._spec.logical_id} is not there.")
        self._account.permit(self._stack, "update", request, self._before.made)
        return self._account.nested.update(self._stack, self._child(), request)

    def cancel(self) -> None:
        """Cancel the nested stack too."""
        if self.resource.made is not None and self._child().status == "UPDATE_IN_PROGRESS":
            self._account.nested.cancel(self._child(), "UPDATE_FAILED")
        super().cancel()


class RestoringNested(_Around, Restoring):
    """Restores a nested stack."""

    _done = "updated"

    def _end(self, before: Resource) -> None:
        changed: list[bool] = []
        reason = self._attempt(lambda: changed.append(self._restore_inside(before)))
        if reason is not None:
            self._fail(reason)
        elif changed[0]:
            self._await(("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"))
        else:
            self._settle(self._child())

    def _restore_inside(self, before: Resource) -> bool:
        if before.request is None or self.resource.physical_id != before.physical_id:
            return False
        return self._account.nested.restore(self._stack, self._child(), before.request)

    def _settle(self, child: Stack) -> None:
        before = self._stack.undo.pop(self._name)
        if before is not None:
            before.made = _attributes(child)
            self.resource = self._stack.resources[self._name] = before
        self._succeed()


class DeletingNested(_Around, Deleting):
    """Deletes a nested stack."""

    _done = "deleted"

    def _succeed_with_removal(self) -> None:
        there: list[bool] = []
        reason = self._attempt(lambda: there.append(self._remove_inside()))
        if reason is not None:
            self._fail(reason)
        elif there[0]:
            self._await(("DELETE_COMPLETE",))
        else:
            self._succeed()

    def _remove_inside(self) -> bool:
        request, made = self.resource.request, self.resource.made
        if request is not None and made is not None:
            self._account.permit(self._stack, "delete", request, made)
        return self._account.nested.delete(self._stack, self._child())

    def _settle(self, child: Stack) -> None:
        del child
        self._succeed()


def deleting(account: Account, stack: Stack, leftover: Leftover) -> Deleting:
    """Return the task that deletes the resource."""
    nested = leftover.resource.spec.type == STACK_TYPE
    return (DeletingNested if nested else Deleting)(account, stack, leftover)
