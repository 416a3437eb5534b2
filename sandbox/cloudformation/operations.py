"""Creating and updating a stack: resources in order, then outputs and exports, or the rollback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.actual import gone
from sandbox.cloudformation.importing.requested import Importing
from sandbox.cloudformation.nested.tasks import creating, updating
from sandbox.cloudformation.policies import denial
from sandbox.cloudformation.records import Deployment, Leftover, Options, Output, Stack
from sandbox.cloudformation.removal import BRIEF, delete, remove, roll_back_creation
from sandbox.cloudformation.rollback import roll_back
from sandbox.cloudformation.runs import Run, Task
from sandbox.cloudformation.templates.evaluation import Evaluation
from sandbox.errors import ApiError, ResourceFailure


def create(
    account: Account, stack: Stack, deployment: Deployment, options: Options, unmade: str | None = None
) -> None:
    """Start the creation of an empty stack; *unmade*: why its macros fail."""
    account.begin(stack, "CREATE_STACK", options)
    stack.options, stack.deployment = options, deployment
    account.set_status(stack, "CREATE_IN_PROGRESS", "User Initiated")
    account.later(stack, BRIEF, lambda: _go(account, stack, "create", unmade))


def update(
    account: Account, stack: Stack, deployment: Deployment, options: Options, unmade: str | None = None
) -> None:
    """Start an update; if it fails, the stack rolls back to its last complete state."""
    account.begin(stack, "UPDATE_STACK", options)
    stack.options, stack.deployment = options, deployment
    stack.updated = account.agenda.now()
    status = "UPDATE_ROLLBACK_IN_PROGRESS" if options.restores else "UPDATE_IN_PROGRESS"
    account.set_status(stack, status, None if options.restores else "User Initiated")
    account.later(stack, BRIEF, lambda: _go(account, stack, "update", unmade))


def cancel_update(account: Account, stack: Stack, token: str | None) -> None:
    """Cancel an update and roll back."""
    if stack.operation.run is not None:
        stack.operation.run.cancel()
    roll_back(account, stack, Options(token=token), "User Initiated")


def _go(account: Account, stack: Stack, verb: str, unmade: str | None) -> None:
    if unmade is not None:
        _failed(account, stack, verb, unmade)
        return
    evaluation = Evaluation(account, stack, stack.deployment)
    try:
        needed = evaluation.imports()
        _check_imports(account, needed)
        active, needs = evaluation.active(), evaluation.needs()
    except (ApiError, ResourceFailure) as error:
        _failed(account, stack, verb, str(error))
        return
    stack.imports |= needed  # both sets are in use until the operation ends
    tasks: dict[str, Task] = {}
    for name, spec in active.items():
        made = name in stack.resources and stack.resources[name].made is not None
        if made and stack.options.reverts_drift:
            made = not gone(account, stack, stack.resources[name])
        if not made and name in stack.options.taken_up:
            tasks[name] = Importing(account, stack, spec, evaluation, stack.options.taken_up[name])
        else:
            tasks[name] = (updating if made else creating)(account, stack, spec, evaluation)
    stack.operation.run = Run(tasks, needs, lambda failed: _worked(account, stack, verb, failed))
    stack.operation.run.start()


def _check_imports(account: Account, names: frozenset[str]) -> None:
    for name in sorted(names):
        if account.exporter(name) is None:
            raise ResourceFailure(f"No export named {name} found.")


def _worked(account: Account, stack: Stack, verb: str, failed: Sequence[str]) -> None:
    if failed:
        _failed(account, stack, verb, _summary(stack, failed))
        return
    evaluation = Evaluation(account, stack, stack.deployment)
    try:
        outputs = evaluation.outputs()
        _check_exports(account, stack, {each.export: each.value for each in outputs if each.export})
        removed = _removed(stack, evaluation)
    except ApiError as error:
        _failed(account, stack, verb, error.message)
        return
    except ResourceFailure as error:
        _failed(account, stack, verb, str(error))
        return
    account.later(stack, BRIEF, lambda: _succeed(account, stack, verb, outputs, removed))


def _summary(stack: Stack, failed: Sequence[str]) -> str:
    parts = []
    for verb in ("create", "update", "import"):
        names = [name for name in failed if stack.resources[name].status == f"{verb.upper()}_FAILED"]
        if names:
            parts.append(f"The following resource(s) failed to {verb}: [{', '.join(names)}]. ")
    return "".join(parts)


def _check_exports(account: Account, stack: Stack, exports: Mapping[str, str]) -> None:
    for name in exports:
        other = account.exporter(name)
        if other is not None and other is not stack:
            raise ResourceFailure(f"Export with name {name} is already exported by stack {other.name}.")
    for name, value in stack.exports.items():
        users = " and ".join(each.name for each in account.importers(name, apart_from=stack))
        if users and name not in exports:
            raise ResourceFailure(f"Export {name} cannot be deleted as it is in use by {users}")
        if users and exports[name] != value:
            raise ResourceFailure(f"Export {name} cannot be updated as it is in use by {users}")


def _removed(stack: Stack, evaluation: Evaluation) -> list[str]:
    """Return what the deployment removes; raises ResourceFailure if a policy keeps it."""
    active = evaluation.active()
    names = [name for name in stack.resources if name not in active]
    for name in names:
        denied = denial(stack.policy, "Update:Delete", name, stack.resources[name].spec.type)
        if denied:
            raise ResourceFailure(denied)
    return names


def _succeed(
    account: Account, stack: Stack, verb: str, outputs: Sequence[Output], removed: Sequence[str]
) -> None:
    for name, spec in Evaluation(account, stack, stack.deployment).active().items():
        stack.resources[name].spec = spec  # policies and metadata, which do not change the resource itself
    stack.outputs = list(outputs)
    stack.exports = {each.export: each.value for each in outputs if each.export}
    stack.imports = Evaluation(account, stack, stack.deployment).imports()
    leftovers = _leftovers(stack, removed)
    stack.stable, stack.undo = stack.deployment, {}
    if verb == "create":
        account.set_status(stack, "CREATE_COMPLETE")
        return
    for name in removed:
        del stack.resources[name]
    end = "UPDATE_ROLLBACK_COMPLETE" if stack.options.restores else "UPDATE_COMPLETE"
    account.set_status(stack, f"{end}_CLEANUP_IN_PROGRESS")
    account.later(
        stack,
        BRIEF,
        lambda: remove(account, stack, leftovers, lambda _: account.set_status(stack, end)),
    )


def _leftovers(stack: Stack, removed: Sequence[str]) -> list[Leftover]:
    gone = [stack.resources[name] for name in removed]
    left = [Leftover(each, each.spec.deletion_policy in ("Retain", "RetainExceptOnCreate")) for each in gone]
    for name, before in stack.undo.items():
        if (
            before is not None
            and name in stack.resources
            and stack.resources[name].physical_id != before.physical_id
        ):
            left.append(Leftover(before, before.spec.update_replace_policy == "Retain"))
    return left + stack.leftovers


def _failed(account: Account, stack: Stack, verb: str, reason: str) -> None:
    options = stack.operation.options
    if options.on_failure == "DO_NOTHING":
        status = "UPDATE_ROLLBACK_FAILED" if options.restores else f"{verb.upper()}_FAILED"
        account.set_status(stack, status, reason)
    elif verb == "create" and options.on_failure == "DELETE":
        account.set_status(stack, "CREATE_FAILED", reason)
        account.later(stack, BRIEF, lambda: delete(account, stack, options))
    elif verb == "create":
        roll_back_creation(account, stack, options, f"{reason.rstrip()} Rollback requested by user.")
    else:
        roll_back(account, stack, options, reason)
