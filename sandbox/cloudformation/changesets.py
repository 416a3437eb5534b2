"""The API's actions on change sets: create, describe, list, delete, execute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.cloudformation import operations, reverting
from sandbox.cloudformation.account import STACK_TYPE, Account
from sandbox.cloudformation.importing import existing, requested
from sandbox.cloudformation.paging import paged
from sandbox.cloudformation.plan import plan
from sandbox.cloudformation.records import ChangeSet, Deployment, Options, Stack
from sandbox.cloudformation.requests import (
    Fetch,
    Params,
    change_set_name,
    deployment,
    deployment_config,
    options,
    stack_name,
)
from sandbox.cloudformation.templates import validation
from sandbox.cloudformation.templates.parameters import masked
from sandbox.cloudformation.transforms.failure import TransformFailure
from sandbox.cloudformation.transforms.processing import processed
from sandbox.errors import ApiError, invalid

Answer = Mapping[str, Any]
PENDING_SECONDS = 0.5
PLANNING_SECONDS = 2.0
"""Virtual seconds from the request of a change set until it is complete."""
UPDATABLE = frozenset(
    f"{status}_COMPLETE" for status in ("CREATE", "UPDATE", "UPDATE_ROLLBACK", "IMPORT", "IMPORT_ROLLBACK")
) | {"CREATE_FAILED", "UPDATE_FAILED"}


def create_change_set(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Create a change set; its plan is complete a little later."""
    name, kind = change_set_name(params), str(params.get("ChangeSetType", "UPDATE"))
    if kind not in ("CREATE", "UPDATE", "IMPORT"):
        raise invalid(f"Change sets of type {kind} are not offered by this sandbox.")
    stack = _target(account, stack_name(params), kind, name)
    known = stack and next((each for each in account.change_sets_of(stack) if each.name == name), None)
    if known:
        if params.get("ClientToken") and params["ClientToken"] == known.token:
            return {"Id": known.id, "StackId": known.stack_id}
        raise ApiError("AlreadyExistsException", f"ChangeSet {name} already exists")
    base = stack if stack and stack.status != "REVIEW_IN_PROGRESS" else None
    _reverts_drift(params, kind)
    imports = requested.asked(params, kind)
    wanted, unmade = transformed(account, stack_name(params), deployment(account, params, fetch, base), fetch)
    if params.get("IncludeNestedStacks"):
        _check_flat(wanted)
    if kind == "IMPORT" and unmade is None:
        requested.check(account, wanted, imports, base)
    trial = base or Stack("arn:aws:cloudformation:trial", stack_name(params), account.agenda.now())
    if unmade is None:
        plan(account, trial, wanted)  # what cannot be evaluated is refused before anything is kept
    stack = stack or _reviewed(account, stack_name(params))
    made = _kept(account, stack, params, kind, wanted)
    made.imports, made.unmade = imports, unmade
    account.agenda.after(PENDING_SECONDS, lambda: _set_in_progress(made))
    account.agenda.after(PLANNING_SECONDS, lambda: _plan(account, stack, made))
    return {"Id": made.id, "StackId": stack.id}


def _check_flat(wanted: Deployment) -> None:
    if any(spec.type == STACK_TYPE for spec in wanted.template.resources.values()):
        raise invalid("IncludeNestedStacks is not offered by this sandbox where there are nested stacks.")


def transformed(
    account: Account, name: str, wanted: Deployment, fetch: Fetch
) -> tuple[Deployment, str | None]:
    """Return the macros' result for *wanted*, or why they fail, which the change set reports."""
    try:
        return processed(account, name, wanted, fetch), None
    except TransformFailure as error:
        return wanted, str(error)


def _target(account: Account, name: str, kind: str, change_set: str) -> Stack | None:
    stack = account.find(name)
    if kind == "CREATE" or (kind == "IMPORT" and stack is None):
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{name}] already exists and cannot be created again "
                f"with the changeSet [{change_set}]."
            )
        return stack
    if stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    if kind == "IMPORT" and stack.status == "REVIEW_IN_PROGRESS":
        return stack
    check_updatable(stack)
    return stack


def check_updatable(stack: Stack) -> None:
    """Refuse an update of a stack whose status has none; raises ApiError."""
    if stack.status not in UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _reviewed(account: Account, name: str) -> Stack:
    if name.startswith("arn:"):
        raise invalid(f"Stack [{name}] does not exist")
    stack = Stack(account.arn("stack", name), name, account.agenda.now())
    account.stacks[stack.id] = stack
    account.begin(stack, "CREATE_CHANGESET", Options())
    account.set_status(stack, "REVIEW_IN_PROGRESS", "User Initiated")
    return stack


def _kept(account: Account, stack: Stack, params: Params, kind: str, wanted: Deployment) -> ChangeSet:
    made = ChangeSet(
        id=account.arn("changeSet", change_set_name(params)),
        name=change_set_name(params),
        stack_id=stack.id,
        type=kind,
        created=account.agenda.now(),
        deployment=wanted,
        token=params.get("ClientToken"),
        description=params.get("Description"),
        on_stack_failure=params.get("OnStackFailure"),
        include_nested=bool(params.get("IncludeNestedStacks")),
        import_existing=bool(params.get("ImportExistingResources")),
        reverts_drift=_reverts_drift(params, kind),
        validates=not params.get("DisableValidation"),
        deployment_config=_configured(account, params),
    )
    account.change_sets[made.id] = made
    return made


def _configured(account: Account, params: Params) -> Mapping[str, Any]:
    """Return the requested deployment mode; a region without any ignores the parameter."""
    return deployment_config(params) if account.faults.behaviour.express else {}


def _reverts_drift(params: Params, kind: str) -> bool:
    """
    Whether drift is reverted; raises ApiError for change sets that AWS does not allow (AWS docs, see module).
    """
    mode = params.get("DeploymentMode")
    if mode is None:
        return False
    if kind != "UPDATE" or params.get("IncludeNestedStacks"):
        raise invalid(f"DeploymentMode {mode} is for UPDATE change sets without nested stacks only.")
    return True


def _set_in_progress(made: ChangeSet) -> None:
    made.status = "CREATE_IN_PROGRESS"


def _plan(account: Account, stack: Stack, made: ChangeSet) -> None:
    if made.deleted or made.execution == "OBSOLETE":
        return
    if made.unmade is not None:
        made.status, made.reason = "FAILED", made.unmade
        return
    if made.imports:
        made.status, made.execution = "CREATE_COMPLETE", "AVAILABLE"
        made.changes = made.valued_changes = requested.changes(made.deployment, made.imports)
        return
    try:
        found = plan(account, stack, made.deployment, reverts_drift=made.reverts_drift)
        if made.import_existing:
            made.taken_up = existing.existing(account, stack, made.deployment, found.changes)
        made.drift_status = reverting.stack_status(account, stack) if made.reverts_drift else None
    except ApiError as error:
        made.status, made.reason = "FAILED", error.message
        return
    if found.missing_import and account.faults.behaviour.missing_import == "fail":
        made.status, made.reason = "FAILED", f"No export named {found.missing_import} found"
    elif found.empty:
        made.status, made.reason = "FAILED", account.faults.behaviour.empty_reason
    elif made.validates and (
        refused := validation.invalid(account.schemas, account.region, made.deployment.template, found.asked)
    ):
        made.status, made.reason, made.invalid = "FAILED", validation.REASON, refused
    else:
        made.status, made.execution, made.warning = "CREATE_COMPLETE", "AVAILABLE", found.warning
        made.changes = existing.imported(found.changes, made.taken_up)
        made.valued_changes = existing.imported(found.valued, made.taken_up)


def describe_change_set(account: Account, params: Params, _: Fetch) -> Answer:
    """Describe a change set, its changes page by page."""
    found = account.change_set(str(params["ChangeSetName"]), params.get("StackName"))
    valued = bool(params.get("IncludePropertyValues"))
    changes = paged("Changes", found.valued_changes if valued else found.changes, params.get("NextToken"))
    wanted = found.deployment
    return {
        **_summary(account, found),
        "StatusReason": found.reason or (found.warning if valued else None),
        "Parameters": parameters(wanted),
        "NotificationARNs": wanted.notification_arns,
        "RollbackConfiguration": wanted.rollback_configuration,
        "DeploymentMode": "REVERT_DRIFT" if found.reverts_drift else None,
        "DeploymentConfig": found.deployment_config or None,
        "StackDriftStatus": found.drift_status,
        "Capabilities": wanted.capabilities,
        "Tags": tags(wanted),
        "OnStackFailure": found.on_stack_failure,
        **changes,
    }


def parameters(wanted: Deployment) -> list[Answer] | None:
    """Return the parameters as calls show them, NoEcho values hidden."""
    shown = masked(wanted.template, wanted.parameters)
    resolved = masked(wanted.template, wanted.looked_up)
    listed: list[Answer] = [
        {"ParameterKey": name, "ParameterValue": value, "ResolvedValue": resolved.get(name)}
        for name, value in shown.items()
    ]
    return listed or None


def tags(wanted: Deployment) -> list[Answer] | None:
    """Return the tags as calls show them."""
    return [{"Key": key, "Value": value} for key, value in wanted.tags.items()] or None


def _summary(account: Account, found: ChangeSet) -> dict[str, Any]:
    return {
        "StackId": found.stack_id,
        "StackName": account.stacks[found.stack_id].name,
        "ChangeSetId": found.id,
        "ChangeSetName": found.name,
        "ExecutionStatus": found.execution,
        "Status": found.status,
        "StatusReason": found.reason,
        "CreationTime": found.created,
        "Description": found.description,
        "IncludeNestedStacks": found.include_nested,
        "ImportExistingResources": found.import_existing,
    }


def list_change_sets(account: Account, params: Params, _: Fetch) -> Answer:
    """List the change sets of a stack that still have their name."""
    stack = account.stack(stack_name(params))
    return paged(
        "Summaries",
        [_summary(account, each) for each in account.change_sets_of(stack)],
        params.get("NextToken"),
    )


def delete_change_set(account: Account, params: Params, _: Fetch) -> Answer:
    """Delete a change set; a missing one is no error if its stack exists."""
    try:
        found = account.change_set(str(params["ChangeSetName"]), params.get("StackName"))
    except ApiError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    if found.execution == "EXECUTE_IN_PROGRESS":
        raise _invalid_status(
            f"An operation on this ChangeSet is currently in progress. ChangeSet [{found.id}]"
        )
    found.deleted = True
    return {}


def execute_change_set(account: Account, params: Params, _: Fetch) -> Answer:
    """Start to execute a change set; the stack's other change sets are deleted."""
    found = account.change_set(str(params["ChangeSetName"]), params.get("StackName"))
    stack = account.stacks[found.stack_id]
    token = params.get("ClientRequestToken")
    if token and stack.change_set_id == found.id and stack.operation.options.token == token:
        return {}
    if found.status != "CREATE_COMPLETE":
        raise _invalid_status(
            f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status}]"
        )
    if found.execution != "AVAILABLE":
        raise _invalid_status(
            f"ChangeSet [{found.id}] cannot be executed "
            f"in its current execution status of [{found.execution}]"
        )
    if found.on_stack_failure and params.get("DisableRollback") is not None:
        raise invalid("Cannot specify both OnStackFailure and DisableRollback.")
    for each in account.change_sets_of(stack):
        each.deleted = each is not found
    found.execution, stack.change_set_id = "EXECUTE_IN_PROGRESS", found.id
    stack.updated = account.agenda.now()
    asked = {"OnStackFailure": found.on_stack_failure, "DeploymentConfig": found.deployment_config}
    how = options({**params, **asked}, change_set_id=found.id)
    how = replace(how, reverts_drift=found.reverts_drift, taken_up=found.taken_up)
    if found.imports:
        requested.begin(account, stack, found.deployment, how, found.imports)
        return {}
    begin = operations.create if found.type == "CREATE" else operations.update
    begin(account, stack, found.deployment, how)
    return {}


def _invalid_status(message: str) -> ApiError:
    return ApiError("InvalidChangeSetStatus", message)
