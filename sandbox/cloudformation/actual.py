"""The actual state of resources, read from the provisioner, for comparison with the deployed state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.differences import same
from sandbox.cloudformation.records import Resource, Stack
from sandbox.provisioning import Gone, ProvisionError

_ATTACHED: Mapping[str, Mapping[str, str]] = {
    "AWS::EC2::SecurityGroup": {
        "SecurityGroupIngress": "AWS::EC2::SecurityGroupIngress",
        "SecurityGroupEgress": "AWS::EC2::SecurityGroupEgress",
    }
}
"""Types whose lists also get entries from other resources: within a stack CloudFormation tells them apart
(AWS docs, "Detect unmanaged configuration changes to stacks and resources", resources with attachments)."""


def live(account: Account, stack: Stack, resource: Resource) -> Mapping[str, Any] | None:
    """Return the live properties that can be read; None: none can; raises Gone, ProvisionError."""
    if resource.request is None or resource.made is None:
        return None
    actual = account.provisioner.read(resource.request, resource.made)
    attached = _ATTACHED.get(resource.spec.type)
    if actual is None or attached is None:
        return actual
    return {
        name: _without(value, _rules(stack, resource, attached[name])) if name in attached else value
        for name, value in actual.items()
    }


def _rules(stack: Stack, group: Resource, type_name: str) -> list[Mapping[str, Any]]:
    """Return what resources of *type_name* in the stack have added to *group*."""
    rules = [
        each.request.properties
        for each in stack.resources.values()
        if each.spec.type == type_name and each.request and each.made
    ]
    return [
        {key: value for key, value in rule.items() if key != "GroupId"}
        for rule in rules
        if rule.get("GroupId") == group.physical_id
    ]


def _without(values: Any, rules: list[Mapping[str, Any]]) -> Any:
    return [value for value in values if not any(same(value, rule) for rule in rules)]


def gone(account: Account, stack: Stack, resource: Resource) -> bool:
    """Whether the resource was deleted outside CloudFormation."""
    try:
        live(account, stack, resource)
    except Gone:
        return True
    except ProvisionError:
        return False
    return False


def comparable(resource: Resource) -> dict[str, Any]:
    """Return the deployed properties, without NoEcho values and dynamic references, which are never shown."""
    properties = resource.request.properties if resource.request else {}
    return {name: value for name, value in properties.items() if same(resource.shown.get(name), value)}
