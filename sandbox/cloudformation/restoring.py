"""Restores a resource to its state before the operation that failed."""

from __future__ import annotations

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Leftover, Resource, Stack
from sandbox.cloudformation.runs import Outcome, Report
from sandbox.cloudformation.tasks import Working


class Restoring(Working):
    """Restores a resource to its state before the failed operation."""

    verb = "update"

    def __init__(self, account: Account, stack: Stack, name: str, *, skipped: bool) -> None:
        self._before = stack.undo[name]
        current = stack.resources[name]
        super().__init__(account, stack, current.spec)
        self._name = name
        self._skipped = skipped
        self.resource = current

    def start(self, report: Report) -> None:
        """Start; new resources are only noted for removal."""
        self._report = report
        before = self._before
        if before is None:
            self._later(0, self._forget)
            return
        self._begin(report)
        self._say("IN_PROGRESS")
        self._later(0 if self._skipped else self._seconds, lambda: self._end(before))

    def _forget(self) -> None:
        retained = self._spec.deletion_policy == "Retain"
        kept = self.resource.imported or (
            retained and not self._stack.operation.options.retain_except_on_create
        )
        del self._stack.resources[self._name]
        del self._stack.undo[self._name]
        self._stack.leftovers.append(Leftover(self.resource, kept))
        self._report(Outcome.DONE)

    def _end(self, before: Resource) -> None:
        if self._skipped:
            self._fault = None
        self._succeed(lambda: self._put_back(before))

    def _put_back(self, before: Resource) -> None:
        current = self.resource
        if current.made is not None and current.physical_id != before.physical_id:
            self._stack.leftovers.append(Leftover(current, kept=False))
        elif not self._skipped and before.request and before.made and current.request and current.made:
            self._account.permit(self._stack, "update", before.request, current.made)
            made = self._account.provisioner.update(before.request, current.request.properties, current.made)
            before.made = made
        self.resource = self._stack.resources[self._name] = before
        del self._stack.undo[self._name]
