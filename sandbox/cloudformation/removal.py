"""Deletes a stack, the leftovers of an update, or the resources of a failed creation. Consumers first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.deleting import Deleting
from sandbox.cloudformation.nested.tasks import deleting
from sandbox.cloudformation.records import Leftover, Options, Resource, Stack
from sandbox.cloudformation.runs import Run
from sandbox.cloudformation.templates.references import needed_by

BRIEF = 1.0
"""Virtual seconds between two of a stack's own statuses."""


def delete(
    account: Account, stack: Stack, options: Options, retained: Collection[str] = (), mode: str = ""
) -> None:
    """
    Start the deletion of a stack, in any state.

    Where another stack imports from it the call succeeds, and the stack keeps its status, with the reason
    (seen in AWS: rlister/stax issue 40, USSBA/aws-cft-tools issue 27).
    """
    in_use = _in_use(account, stack)
    if in_use:
        account.agenda.after(BRIEF, lambda: _refuse(account, stack, in_use))
        return
    if stack.operation.run is not None:
        stack.operation.run.cancel()
    account.begin(stack, "DELETE_STACK", options)
    stack.deletion_mode = mode or None
    for each in account.change_sets_of(stack):
        each.deleted = True
    account.set_status(stack, "DELETE_IN_PROGRESS", "User Initiated")
    leftovers = _everything(stack, retained)
    account.later(
        stack, 0, lambda: remove(account, stack, leftovers, lambda failed: _end(account, stack, failed))
    )


def roll_back_creation(account: Account, stack: Stack, options: Options, reason: str | None) -> None:
    """Delete what a failed creation created; the stack then has only its history."""
    account.begin(stack, "ROLLBACK", options)
    account.set_status(stack, "ROLLBACK_IN_PROGRESS", reason)
    stays = "Retain" if not options.retain_except_on_create else ""
    leftovers = [
        Leftover(each, each.imported or each.spec.deletion_policy == stays)
        for each in stack.resources.values()
    ]

    def end(failed: list[Leftover]) -> None:
        stack.resources = {each.resource.spec.logical_id: each.resource for each in failed}
        stack.undo = {}
        stack.imports = frozenset()
        stack.gone = account.agenda.now()
        status = "ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE"
        account.set_status(stack, status, _failed_reason(failed))

    account.later(stack, BRIEF, lambda: remove(account, stack, leftovers, end))


def remove(
    account: Account, stack: Stack, leftovers: Sequence[Leftover], over: Callable[[list[Leftover]], None]
) -> None:
    """Delete *leftovers*, in reverse order; *over* gets those that failed, and what they needed."""
    named = {f"{number}": leftover for number, leftover in enumerate(leftovers)}
    tasks = {key: deleting(account, stack, leftover) for key, leftover in named.items()}
    for task in tasks.values():
        task.beside(tasks.values())
    stack.operation.run = Run(
        tasks,
        _users(named),
        lambda _: over([each for key, each in named.items() if not _is_gone(tasks[key])]),
        keep_going=True,
    )
    stack.operation.run.start()


def _is_gone(task: Deleting) -> bool:
    return task.resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def _users(leftovers: dict[str, Leftover]) -> dict[str, frozenset[str]]:
    """Return for each leftover its users, which must be deleted before."""
    names = {key: each.resource.spec.logical_id for key, each in leftovers.items()}
    needed = {key: needed_by(each.resource.spec) for key, each in leftovers.items()}
    return {key: frozenset(user for user in leftovers if name in needed[user]) for key, name in names.items()}


def _everything(stack: Stack, retained: Collection[str]) -> list[Leftover]:
    current = [
        Leftover(each, _keeps(each) or each.spec.logical_id in retained) for each in stack.resources.values()
    ]
    ids = {each.physical_id for each in stack.resources.values()}
    replaced = [each for each in stack.undo.values() if each is not None and each.physical_id not in ids]
    return current + [Leftover(each, _keeps(each)) for each in replaced] + stack.leftovers


def _keeps(resource: Resource) -> bool:
    return resource.spec.deletion_policy in ("Retain", "RetainExceptOnCreate")


def _in_use(account: Account, stack: Stack) -> str | None:
    for name in stack.exports:
        others = account.importers(name, apart_from=stack)
        if others:
            users = " and ".join(each.name for each in others)
            return f"Export {name} cannot be deleted as it is in use by {users}"
    return None


def _refuse(account: Account, stack: Stack, reason: str) -> None:
    how, before = account.faults.behaviour.exporter_deletion, stack.reason
    account.set_status(stack, "DELETE_FAILED" if how == "fail" else stack.status, reason)
    if how == "event":
        stack.reason = before
        stack.history[-1] = (*stack.history[-1][:2], before)


def _failed_reason(failed: Sequence[Leftover]) -> str | None:
    names = [each.resource.spec.logical_id for each in failed if each.resource.status == "DELETE_FAILED"]
    return f"The following resource(s) failed to delete: [{', '.join(names)}]. " if names else None


def _end(account: Account, stack: Stack, failed: list[Leftover]) -> None:
    forced = stack.deletion_mode == "FORCE_DELETE_STACK"
    if failed and forced:
        stack.deletion_mode = None
        skipped = [Leftover(each.resource, kept=each.resource.status == "DELETE_FAILED") for each in failed]
        remove(account, stack, skipped, lambda still: _end(account, stack, still))
        return
    stack.leftovers, stack.undo = [], {}
    stack.departed |= stack.resources
    stack.resources = {each.resource.spec.logical_id: each.resource for each in failed}
    if failed:
        account.set_status(stack, "DELETE_FAILED", _failed_reason(failed))
        return
    stack.exports, stack.imports, stack.outputs = {}, frozenset(), []
    stack.gone = account.agenda.now()
    account.set_status(stack, "DELETE_COMPLETE")
