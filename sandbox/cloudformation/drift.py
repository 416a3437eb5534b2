"""Drift detection: compares deployed and actual resources, and implements the API's actions for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.actual import comparable, live
from sandbox.cloudformation.differences import differences
from sandbox.cloudformation.records import Detection, Resource, ResourceDrift, Stack
from sandbox.cloudformation.requests import Fetch, Params, stack_name
from sandbox.errors import invalid
from sandbox.provisioning import Gone, ProvisionError

Answer = Mapping[str, Any]
SECONDS = 5.0
SECONDS_PER_RESOURCE = 0.5
"""Virtual seconds of a detection; AWS says "up to several minutes", most take one."""
CHECKABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
"""AWS docs, "Detect drift on an entire CloudFormation stack", and the statuses that imports end in."""
_DRIFTED = ("MODIFIED", "DELETED")
_PAGE = 100


def detect_stack_drift(account: Account, params: Params, _: Fetch) -> Answer:
    """Start a detection; its result is complete a little later."""
    stack = _checkable(account, params)
    wanted = frozenset(params.get("LogicalResourceIds", ()))
    running = [one for one in account.detections.values() if one.stack_id == stack.id and one.running]
    if running:
        raise invalid(f"Drift detection is already in progress for stack [{stack.id}]")
    detection = Detection(account.uuid(), stack.id, account.agenda.now())
    account.detections[detection.id] = detection
    seconds = SECONDS + SECONDS_PER_RESOURCE * len(stack.resources)
    account.agenda.after(seconds, lambda: _detect(account, stack, detection, wanted))
    return {"StackDriftDetectionId": detection.id}


def _checkable(account: Account, params: Params) -> Stack:
    stack = account.stack(stack_name(params))
    if stack.status not in CHECKABLE:
        raise invalid(f"Stack [{stack.id}] is in {stack.status} state and drift detection is not possible.")
    return stack


def _detect(account: Account, stack: Stack, detection: Detection, wanted: Collection[str]) -> None:
    failed = []
    for name, resource in stack.resources.items():
        if wanted and name not in wanted:
            continue
        found = _look(account, stack, resource)
        if found is None:
            stack.drifts.pop(name, None)
            continue
        stack.drifts[name] = found
        failed += [name] if found.status == "UNKNOWN" else []
    detection.drifted = sum(each.status in _DRIFTED for each in stack.drifts.values())
    detection.status = "DETECTION_FAILED" if failed else "DETECTION_COMPLETE"
    detection.reason = f"Failed to detect drift on resource [{', '.join(failed)}]" if failed else None
    detection.outcome = "DRIFTED" if detection.drifted else "UNKNOWN" if failed else "IN_SYNC"
    stack.drift_status, stack.drift_checked = detection.outcome, account.agenda.now()


def _look(account: Account, stack: Stack, resource: Resource) -> ResourceDrift | None:
    """Return the drift of *resource*; None if its type cannot be read."""
    fault = account.faults.of_resource("detect", resource.spec.logical_id, resource.spec.type, stack.name)
    now = account.agenda.now()
    if fault and fault.reason is not None:
        return ResourceDrift("UNKNOWN", now, reason=fault.reason)
    try:
        actual = live(account, stack, resource)
    except Gone:
        return ResourceDrift("DELETED", now, expected=resource.shown)
    except ProvisionError as error:
        return ResourceDrift("UNKNOWN", now, reason=str(error))
    if actual is None:
        return None
    found = differences(comparable(resource), actual)
    expected = {name: resource.shown[name] for name in actual if name in resource.shown}
    return ResourceDrift("MODIFIED" if found else "IN_SYNC", now, tuple(found), expected, actual)


def describe_stack_drift_detection_status(account: Account, params: Params, _: Fetch) -> Answer:
    """Return the progress of a detection."""
    found = account.detections.get(str(params["StackDriftDetectionId"]))
    if found is None:
        raise invalid(f"Drift detection [{params['StackDriftDetectionId']}] does not exist")
    return {
        "StackId": found.stack_id,
        "StackDriftDetectionId": found.id,
        "StackDriftStatus": found.outcome,
        "DetectionStatus": found.status,
        "DetectionStatusReason": found.reason,
        "DriftedStackResourceCount": found.drifted,
        "Timestamp": found.time,
    }


def describe_stack_resource_drifts(account: Account, params: Params, _: Fetch) -> Answer:
    """Return the result of the last detection, by resource, without those that it could not check."""
    stack = account.stack(stack_name(params))
    wanted = set(params.get("StackResourceDriftStatusFilters", ()))
    found = [
        _described(stack, stack.resources[name], drift)
        for name, drift in sorted(stack.drifts.items())
        if name in stack.resources and (not wanted or drift.status in wanted)
    ]
    size = min(int(params.get("MaxResults") or _PAGE), _PAGE)
    start = int(str(params.get("NextToken") or "page-0").removeprefix("page-"))
    rest = {"NextToken": f"page-{start + size}"} if start + size < len(found) else {}
    return {"StackResourceDrifts": found[start : start + size], **rest}


def detect_stack_resource_drift(account: Account, params: Params, _: Fetch) -> Answer:
    """Check one resource, at once."""
    stack, name = _checkable(account, params), str(params["LogicalResourceId"])
    if name not in stack.resources:
        raise invalid(f"Resource {name} does not exist for stack {stack.name}")
    found = _look(account, stack, stack.resources[name])
    if found is None:
        kind = stack.resources[name].spec.type
        raise invalid(f"Drift detection is not supported for resource type {kind}")
    stack.drifts[name] = found
    return {"StackResourceDrift": _described(stack, stack.resources[name], found)}


def _described(stack: Stack, resource: Resource, drift: ResourceDrift) -> dict[str, Any]:
    told = drift.status in ("MODIFIED", "IN_SYNC")
    return {
        "StackId": stack.id,
        "LogicalResourceId": resource.spec.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.spec.type,
        "ExpectedProperties": json.dumps(drift.expected) if drift.expected else None,
        "ActualProperties": json.dumps(drift.actual) if told else None,
        "PropertyDifferences": [each.answer() for each in drift.differences],
        "StackResourceDriftStatus": drift.status,
        "Timestamp": drift.time,
        "DriftStatusReason": drift.reason,
    }


def stack_information(stack: Stack) -> Answer:
    """Return DriftInformation of a stack."""
    return {"StackDriftStatus": stack.drift_status, "LastCheckTimestamp": stack.drift_checked}


def resource_information(stack: Stack, resource: Resource) -> Answer:
    """Return DriftInformation of a resource."""
    found = stack.drifts.get(resource.spec.logical_id)
    if found is None:
        return {"StackResourceDriftStatus": "NOT_CHECKED"}
    return {"StackResourceDriftStatus": found.status, "LastCheckTimestamp": found.time}
