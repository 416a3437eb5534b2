"""The rollback of a failed update, to the last successful deployment."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.nested.tasks import restoring
from sandbox.cloudformation.records import Leftover, Options, Stack
from sandbox.cloudformation.removal import BRIEF, remove, roll_back_creation
from sandbox.cloudformation.runs import Run
from sandbox.cloudformation.templates.evaluation import Evaluation
from sandbox.errors import ApiError


def roll_back(
    account: Account, stack: Stack, options: Options, reason: str | None, skipped: Collection[str] = ()
) -> None:
    """Restore everything that the update changed; a stack that never was complete loses its resources."""
    if stack.stable is None:
        roll_back_creation(account, stack, options, reason)
        return
    account.begin(stack, "ROLLBACK", options)
    account.set_status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
    account.later(stack, BRIEF, lambda: _restore(account, stack, skipped))


def _restore(account: Account, stack: Stack, skipped: Collection[str]) -> None:
    tasks = {name: restoring(account, stack, name, skipped=name in skipped) for name in stack.undo}
    stack.operation.run = Run(tasks, _needs(account, stack), lambda failed: _restored(account, stack, failed))
    stack.operation.run.start()


def _needs(account: Account, stack: Stack) -> dict[str, frozenset[str]]:
    if stack.stable is None:
        return {}
    try:
        return Evaluation(account, stack, stack.stable).needs()
    except ApiError:
        return {}


def _restored(account: Account, stack: Stack, failed: list[str]) -> None:
    if failed:
        named = ", ".join(failed)
        reason = f"The following resource(s) failed to update: [{named}]. "
        account.set_status(stack, "UPDATE_ROLLBACK_FAILED", reason)
        return
    if stack.stable is not None:
        stack.deployment = stack.stable
        stack.imports = Evaluation(account, stack, stack.deployment).imports()
    account.set_status(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    leftovers, stack.leftovers = stack.leftovers, []
    account.later(stack, BRIEF, lambda: remove(account, stack, leftovers, lambda _: _end(account, stack, _)))


def _end(account: Account, stack: Stack, _: list[Leftover]) -> None:
    account.set_status(stack, "UPDATE_ROLLBACK_COMPLETE")
