"""What the deletion of one resource does: its snapshot, its removal, or what it leaves."""

from __future__ import annotations

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Leftover, Stack
from sandbox.cloudformation.runs import Outcome, Report
from sandbox.cloudformation.tasks import Working


class Deleting(Working):
    """Removes a resource, or leaves it in the account where its policy says so."""

    verb = "delete"

    def __init__(self, account: Account, stack: Stack, leftover: Leftover) -> None:
        super().__init__(account, stack, leftover.resource.spec)
        self.resource = leftover.resource
        self._kept = leftover.kept

    def start(self, report: Report) -> None:
        """Begin."""
        self._begin(report)
        if self._kept:
            self._say("SKIPPED")
            self._later(0, lambda: report(Outcome.DONE))
            return
        if self.resource.made is None:
            self._later(0, self._succeed)
            return
        self._say("IN_PROGRESS")
        if not self._hooked():
            self._later(self._seconds, lambda: self._succeed(self._remove))

    def _remove(self) -> None:
        request, made = self.resource.request, self.resource.made
        if request is None or made is None:
            return
        self._account.permit(self._stack, "delete", request, made)
        if self._spec.deletion_policy == "Snapshot" and "ROLLBACK" not in self._stack.status:
            self._account.provisioner.snapshot(request, made, self._snapshot_name())
        self._account.provisioner.delete(request, made)

    def _snapshot_name(self) -> str:
        """Return the name that CloudFormation makes up for a final snapshot (as seen in accounts)."""
        random = self._account.uuid().rpartition("-")[2]
        return f"{self._stack.name}-snapshot-{self._spec.logical_id}-{random}".lower()
