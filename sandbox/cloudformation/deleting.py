"""The deletion of one resource: its snapshot, its removal, or its retention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Leftover, Stack
from sandbox.cloudformation.runs import Outcome, Report
from sandbox.cloudformation.tasks import Working

AGAIN = 10.0
"""Virtual seconds between two attempts of a deletion."""
ATTEMPTS = 180
"""Number of attempts: half an hour."""


class Deleting(Working):
    """
    Removes a resource, or leaves it in the account where its policy says so.

    A resource in use is retried as long as other resources of the stack are being deleted: a template need
    not order a gateway after the addresses behind it, and stacks without such a DependsOn are seen to be
    deleted completely. Once no other deletion is left, the refusal is final.
    """

    verb = "delete"

    def __init__(self, account: Account, stack: Stack, leftover: Leftover) -> None:
        super().__init__(account, stack, leftover.resource.spec)
        self.resource = leftover.resource
        self._kept = leftover.kept
        self._attempts = 0
        self._gone_before: int | None = None
        self._others: Iterable[Deleting] = ()
        self.waits: Literal["time", "others", "nothing"] = "nothing"
        """What it waits for while it is in progress."""

    def beside(self, others: Iterable[Deleting]) -> None:
        """Set the resources that are deleted along with it, itself included."""
        self._others = others

    def start(self, report: Report) -> None:
        """Begin."""
        self._begin(self._over(report))
        self.waits = "time"
        if self._kept:
            self._say("SKIPPED")
            self._later(0, lambda: self._report(Outcome.DONE))
            return
        if self.resource.made is None:
            self._later(0, self._succeed)
            return
        self._say("IN_PROGRESS")
        if not self._hooked():
            self._later(self._seconds, self._succeed_with_removal)

    def _succeed_with_removal(self) -> None:
        self._succeed(self._remove)

    def _over(self, report: Report) -> Report:
        def over(outcome: Outcome) -> None:
            self.waits = "nothing"
            report(outcome)

        return over

    def _fail_in_time(self, reason: str) -> None:
        if self._in_use and self._attempts < ATTEMPTS and self._more_goes():
            self.waits, self._attempts = "others", self._attempts + 1
            self._later(AGAIN, self._succeed_with_removal)
        else:
            super()._fail_in_time(reason)

    def _more_goes(self) -> bool:
        """Whether another resource is being deleted, or may be, as one was deleted since the last attempt."""
        others = {each.waits for each in self._others if each is not self}
        gone = sum(each.resource.status == "DELETE_COMPLETE" for each in self._others)
        before, self._gone_before = self._gone_before, gone
        return "time" in others or ("others" in others and gone != before)

    def _remove(self) -> None:
        request, made = self.resource.request, self.resource.made
        if request is None or made is None:
            return
        self._account.permit(self._stack, "delete", request, made)
        first = not self._attempts
        if first and self._spec.deletion_policy == "Snapshot" and "ROLLBACK" not in self._stack.status:
            self._account.provisioner.snapshot(request, made, self._snapshot_name())
        self._account.provisioner.delete(request, made)

    def _snapshot_name(self) -> str:
        """Return the name of a final snapshot as CloudFormation generates it (as seen in accounts)."""
        random = self._account.uuid().rpartition("-")[2]
        return f"{self._stack.name}-snapshot-{self._spec.logical_id}-{random}".lower()
