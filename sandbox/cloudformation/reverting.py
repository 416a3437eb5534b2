"""
Drift-aware change sets (`DeploymentMode=REVERT_DRIFT`): compare with actual instead of deployed resources.

AWS docs, "Using drift-aware change sets". Unlike there, a failed one rolls back to the deployed state, not to
the actual one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.actual import comparable, live
from sandbox.cloudformation.differences import differences, shown
from sandbox.cloudformation.records import Resource, Stack
from sandbox.provisioning import Gone, ProvisionError

Change = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A resource as it is now: *seen* is the record with its live values."""

    status: str  # IN_SYNC, MODIFIED, DELETED, UNKNOWN, UNSUPPORTED
    deployed: Resource
    seen: Resource
    time: float

    @property
    def gone(self) -> bool:
        """Whether it has to be created again."""
        return self.status == "DELETED"


def found(account: Account, stack: Stack, resource: Resource, wanted: Mapping[str, Any]) -> Found:
    """Read *resource*, which is to get the properties *wanted*."""
    now = account.agenda.now()
    try:
        actual = live(account, stack, resource)
    except Gone:
        return Found("DELETED", resource, resource, now)
    except ProvisionError:
        return Found("UNKNOWN", resource, resource, now)
    if actual is None or resource.request is None:
        return Found("UNSUPPORTED", resource, resource, now)
    known = comparable(resource)
    values = {name: _value(name, actual[name], wanted, known) for name in sorted(actual.keys() & known)}
    drifted = bool(differences(known, actual))
    seen = replace(
        resource,
        plain={**resource.plain, **values},
        shown={**resource.shown, **values},
        request=replace(resource.request, properties={**resource.request.properties, **values}),
    )
    return Found("MODIFIED" if drifted else "IN_SYNC", resource, seen, now)


def _value(name: str, actual: Any, wanted: Mapping[str, Any], deployed: Mapping[str, Any]) -> Any:
    """Return the live value, in the template's spelling if that is equivalent."""
    for properties in (wanted, deployed):
        if name in properties and not differences({name: properties[name]}, {name: actual}):
            return properties[name]
    return actual


def sync(looked: Found, physical_id: str, names: list[str]) -> dict[str, Any]:
    """Return the change that only records the actual state: the template was adapted to the live values."""
    details = [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": "Never",
                "AttributeChangeType": "SyncWithActual",
            },
            "Evaluation": "Static",
            "ChangeSource": "NoModification",
        }
        for name in names
    ]
    change = {
        "Action": "SyncWithActual",
        "LogicalResourceId": looked.deployed.spec.logical_id,
        "ResourceType": looked.deployed.spec.type,
        "PhysicalResourceId": physical_id,
        "Replacement": "False",
        "Details": details,
        "Scope": ["Properties"],
        "ResourceDriftStatus": looked.status,
    }
    return {"Type": "Resource", "ResourceChange": change}


def marked(change: Change, looked: Found) -> dict[str, Any]:
    """Add the source of values, and the drift, to *change*, which has values."""
    inner = change["ResourceChange"]
    details = [{**each, "Target": _target(each["Target"], looked)} for each in inner.get("Details", ())]
    return {
        **change,
        "ResourceChange": {**inner, "Details": details, "ResourceDriftStatus": looked.status},
    }


def _target(target: Mapping[str, Any], looked: Found) -> dict[str, Any]:
    name = target.get("Name")
    if "BeforeValue" not in target or name is None:
        return dict(target)
    deployed, actual = looked.deployed.shown.get(name), looked.seen.shown.get(name)
    drift = {
        "PreviousValue": shown(deployed),
        "ActualValue": shown(actual),
        "DriftDetectionTimestamp": looked.time,
    }
    more = {"Drift": drift} if deployed != actual else {}
    return {**target, "BeforeValueFrom": "ACTUAL_STATE", "AfterValueFrom": "TEMPLATE", **more}


def stack_status(account: Account, stack: Stack) -> str:
    """Return the stack's current drift status."""
    kinds = {found(account, stack, each, each.plain).status for each in stack.resources.values() if each.made}
    return "DRIFTED" if {"MODIFIED", "DELETED"} & kinds else "IN_SYNC"
