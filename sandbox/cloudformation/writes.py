"""The API's actions that change stacks directly: create, update, delete, roll back, protect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.cloudformation import operations, policies
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.changesets import check_updatable, transformed
from sandbox.cloudformation.plan import plan
from sandbox.cloudformation.records import Deployment, Options, Resource, Stack
from sandbox.cloudformation.removal import delete
from sandbox.cloudformation.requests import Fetch, Params, check_expansion, deployment, options, stack_name
from sandbox.cloudformation.rollback import roll_back
from sandbox.errors import ApiError, invalid

Answer = Mapping[str, Any]
_BUSY_UPDATING = ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS")


def create_stack(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Start to create a stack; one in review becomes it, and its change sets are obsolete."""
    name = stack_name(params)
    stack = account.find(name)
    if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        if _repeated(stack, params):
            return _operation(stack)
        raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
    wanted, unmade = _wanted(account, params, fetch, None)
    if params.get("StackPolicyBody"):
        policies.check(params["StackPolicyBody"])
    stack = stack or Stack(account.arn("stack", name), name, account.agenda.now())
    if unmade is None:
        plan(account, stack, wanted)  # what cannot be evaluated is refused before anything is kept
    account.stacks[stack.id] = stack
    _make_obsolete(account, stack)
    stack.protected = bool(params.get("EnableTerminationProtection"))
    stack.policy, stack.timeout = params.get("StackPolicyBody"), params.get("TimeoutInMinutes")
    operations.create(account, stack, wanted, options(params), unmade)
    return _operation(stack)


def _wanted(
    account: Account, params: Params, fetch: Fetch, stack: Stack | None
) -> tuple[Deployment, str | None]:
    """Return the requested state, and why its macros fail if they do, which the operation reports."""
    wanted = deployment(account, params, fetch, stack)
    check_expansion(wanted.template, params)
    return transformed(account, stack_name(params), wanted, fetch)


def _repeated(stack: Stack, params: Params) -> bool:
    token = params.get("ClientRequestToken")
    return token is not None and any(each.options.token == token for each in stack.operations)


def _operation(stack: Stack) -> Answer:
    return {"StackId": stack.id, "OperationId": stack.operation.id}


def _make_obsolete(account: Account, stack: Stack) -> None:
    for each in account.change_sets_of(stack):
        each.execution = "OBSOLETE"


def update_stack(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Start an update without a change set."""
    stack = account.stack(stack_name(params))
    if _repeated(stack, params):
        return _operation(stack)
    check_updatable(stack)
    wanted, unmade = _wanted(account, params, fetch, stack)
    if params.get("StackPolicyBody"):
        policies.check(params["StackPolicyBody"])
        stack.policy = params["StackPolicyBody"]
    if unmade is None and plan(account, stack, wanted).empty:
        raise invalid("No updates are to be performed.")
    _make_obsolete(account, stack)
    operations.update(account, stack, wanted, options(params), unmade)
    return _operation(stack)


def delete_stack(account: Account, params: Params, _: Fetch) -> Answer:
    """Start to delete a stack; a missing one is no error."""
    stack = account.find(stack_name(params))
    if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS") or _repeated(stack, params):
        return {}
    if stack.protected:
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.status.startswith(_BUSY_UPDATING) or "CLEANUP" in stack.status:
        raise invalid(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
    retained, mode = params.get("RetainResources", ()), str(params.get("DeletionMode", ""))
    if retained and stack.status != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which resources to "
            "retain only if the stack is in the DELETE_FAILED state."
        )
    if mode == "FORCE_DELETE_STACK" and stack.status != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack.id}]. It can be force deleted in DELETE_FAILED state only."
        )
    _take_role(stack, params)
    delete(account, stack, options(params), retained, mode)
    return {}


def _take_role(stack: Stack, params: Params) -> None:
    """Set the stack's new service role for later operations, if the call names one."""
    if params.get("RoleARN"):
        stack.deployment = replace(stack.deployment, role_arn=str(params["RoleARN"]))


def cancel_update_stack(account: Account, params: Params, _: Fetch) -> Answer:
    """Cancel an update and roll back."""
    stack = account.stack(stack_name(params))
    if stack.status != "UPDATE_IN_PROGRESS":
        raise invalid("CancelUpdateStack cannot be called from current stack status")
    operations.cancel_update(account, stack, params.get("ClientRequestToken"))
    return {}


def continue_update_rollback(account: Account, params: Params, _: Fetch) -> Answer:
    """Continue a failed rollback, without the resources to skip."""
    stack = account.stack(stack_name(params))
    if _repeated(stack, params):
        return {}
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue rollback.")
    skipped = params.get("ResourcesToSkip", ())
    if params.get("ForceRollback") and skipped:
        raise invalid("You cannot specify both ForceRollback and ResourcesToSkip.")
    if params.get("ForceRollback"):
        skipped = tuple(stack.undo)
    unknown = [name for name in skipped if stack.resources.get(name) is None]
    if unknown:
        raise invalid(f"Resources to skip [{', '.join(unknown)}] do not exist in the stack.")
    if others := [name for name in skipped if not _failed_to_roll_back(stack.resources[name])]:
        names = ", ".join(others)
        raise invalid(f"Resources to skip [{names}] are not in UPDATE_FAILED because their rollback failed.")
    _take_role(stack, params)
    roll_back(account, stack, Options(token=params.get("ClientRequestToken")), None, skipped)
    return {}


def _failed_to_roll_back(resource: Resource) -> bool:
    """Whether it failed itself: what was cancelled by another failure cannot be skipped."""
    return resource.status == "UPDATE_FAILED" and "cancelled" not in (resource.reason or "")


def rollback_stack(account: Account, params: Params, _: Fetch) -> Answer:
    """Roll back from a failure that was left as it was; a stack that never was complete is deleted."""
    stack = account.stack(stack_name(params))
    if _repeated(stack, params):
        return _operation(stack)
    if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    how = options(params)
    _take_role(stack, params)
    if stack.stable is None:
        delete(account, stack, how)
    else:
        roll_back(account, stack, how, "User Initiated")
    return _operation(stack)


def update_termination_protection(account: Account, params: Params, _: Fetch) -> Answer:
    """Switch termination protection."""
    stack = account.stack(stack_name(params))
    if stack.status == "DELETE_COMPLETE":
        raise invalid(f"Stack [{params['StackName']}] does not exist")
    stack.protected = bool(params.get("EnableTerminationProtection"))
    return {"StackId": stack.id}


def set_stack_policy(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Set a stack's policy, which can only be replaced."""
    stack = account.stack(stack_name(params))
    body, url = params.get("StackPolicyBody"), params.get("StackPolicyURL")
    if body and url:
        raise invalid("You cannot specify both StackPolicyURL and StackPolicyBody")
    if stack.busy:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and its policy can not be set.")
    body = body or (fetch(str(url)) if url else None)
    if body:
        policies.check(body)
        stack.policy = body
    return {}


def get_stack_policy(account: Account, params: Params, _: Fetch) -> Answer:
    """Return a stack's policy."""
    return {"StackPolicyBody": account.stack(stack_name(params)).policy}
