"""The API's actions on history: events of a stack, of an operation, of a change set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.paging import paged
from sandbox.cloudformation.records import Event, Hook, Stack
from sandbox.cloudformation.requests import Fetch, Params, stack_name
from sandbox.cloudformation.templates import validation
from sandbox.errors import invalid

Answer = Mapping[str, Any]


def describe_stack_events(account: Account, params: Params, _: Fetch) -> Answer:
    """Return a stack's events, newest first."""
    stack = account.stack(stack_name(params))
    return paged(
        "StackEvents", [_event(stack, each) for each in reversed(stack.events)], params.get("NextToken")
    )


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "EventId": event.id,
        "OperationId": event.operation.id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceProperties": None if event.properties is None else json.dumps(event.properties),
        "ClientRequestToken": event.operation.options.token,
        **_hook(event.hook),
    }


def _hook(hook: Hook | None) -> dict[str, Any]:
    """Return an event's data on a Hook (CloudFormation API Reference, StackEvent)."""
    if hook is None:
        return {}
    return {
        "HookType": hook.type,
        "HookStatus": hook.status,
        "HookStatusReason": hook.reason,
        "HookInvocationPoint": "PRE_PROVISION",
        "HookFailureMode": hook.mode,
    }


def describe_events(account: Account, params: Params, _: Fetch) -> Answer:
    """Return events by operation, newest first; those of a change set are the reasons of its failure."""
    if params.get("ChangeSetName"):
        return _change_set_events(account, params)
    operation = params.get("OperationId")
    stack = _by_operation(account, operation) if operation else account.stack(stack_name(params))
    failed = bool(params.get("Filters", {}).get("FailedEvents"))
    found = [
        {**_event(stack, each), "OperationType": each.operation.type, "EventType": "STACK_EVENT"}
        for each in reversed(stack.events)
        if operation in (None, each.operation.id) and (not failed or each.status.endswith("FAILED"))
    ]
    return paged("OperationEvents", found, params.get("NextToken"))


def _by_operation(account: Account, operation: str) -> Stack:
    for stack in account.stacks.values():
        if any(each.id == operation for each in stack.operations):
            return stack
    raise invalid(f"Operation [{operation}] does not exist")


def _change_set_events(account: Account, params: Params) -> Answer:
    found = account.change_set(str(params["ChangeSetName"]), params.get("StackName"))
    failed = found.status == "FAILED"
    of_all = {
        "StackId": found.stack_id,
        "OperationType": "CREATE_CHANGESET",
        "Timestamp": found.created,
        "ClientRequestToken": found.token,
    }
    event = {
        **of_all,
        "EventId": found.id,
        "OperationStatus": "FAILED" if failed else "SUCCEEDED",
        "EventType": "STACK_EVENT",
        "ResourceStatusReason": found.reason,
    }
    errors = [
        {**of_all, "EventId": f"{found.id}/{number}", **validation.event(each)}
        for number, each in enumerate(found.invalid)
    ]
    only_failed = bool(params.get("Filters", {}).get("FailedEvents"))
    return {"OperationEvents": [*errors, event] if failed or not only_failed else []}
