"""
ImportExistingResources: a change set imports resources that exist instead of creating them.

CloudFormation User Guide, "Import AWS resources into a CloudFormation stack automatically": a resource with a
static name of its own in the template, a DeletionPolicy of Retain or RetainExceptOnCreate, and no stack. What
cannot be imported is created, and then refused because its name exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.importing.requested import change, owner_of
from sandbox.cloudformation.records import Deployment, Stack
from sandbox.cloudformation.templates.evaluation import Evaluation
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.errors import ApiError, ResourceFailure, invalid
from sandbox.provisioning import Gone, Provisioned, ProvisionError

_KEPT = ("Retain", "RetainExceptOnCreate")


def existing(
    account: Account, stack: Stack, wanted: Deployment, changes: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return which of *changes* exist already, logical id -> identifier; raises ApiError."""
    listed = [each["ResourceChange"] for each in changes]
    added = [each["LogicalResourceId"] for each in listed if each["Action"] == "Add"]
    evaluation = Evaluation(account, stack, wanted)
    specs = {name: wanted.template.resources[name] for name in added}
    named = {name: each for name, spec in specs.items() if (each := _identifier(account, spec))}
    found = {name: each for name, each in named.items() if _is_there(account, evaluation, specs[name], each)}
    for name, identifier in found.items():
        owner = owner_of(account, specs[name].type, identifier)
        if owner is not None:
            raise invalid(f"{identifier} already exists in stack {owner.id}")
    if wrong := [name for name in found if specs[name].deletion_policy not in _KEPT]:
        affected = ", ".join(f"{name} ({_told(account, specs[name])})" for name in wrong)
        raise invalid(
            "CloudFormation is attempting to import some resources because they already exist in your"
            " account. The resources must have the DeletionPolicy attribute set to 'Retain' or"
            " 'RetainExceptOnCreate' in the template for successful import."
            f" The affected resources are {affected}"
        )
    return found


def imported(changes: Sequence[Mapping[str, Any]], found: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return *changes* with the *found* resources imported instead of added."""
    told = []
    for each in changes:
        name, type_ = (each["ResourceChange"][key] for key in ("LogicalResourceId", "ResourceType"))
        told.append(change(name, type_, found[name]) if name in found else each)
    return told


def _identifier(account: Account, spec: ResourceSpec) -> str | None:
    values = [spec.properties.get(name) for name in account.schemas.identifier(spec.type)]
    named = bool(values) and all(isinstance(value, str) for value in values)
    return "|".join(map(str, values)) if named else None


def _told(account: Account, spec: ResourceSpec) -> str:
    names = account.schemas.identifier(spec.type)
    return "{" + ", ".join(f"{name}={spec.properties[name]}" for name in names) + "}"


def _is_there(account: Account, evaluation: Evaluation, spec: ResourceSpec, identifier: str) -> bool:
    """Whether a resource can be read; types that cannot be read here are created."""
    try:
        plain, _ = evaluation.properties(spec)
        request = evaluation.request(spec, plain)
        return account.provisioner.read(request, Provisioned(identifier)) is not None
    except (Gone, ProvisionError, ResourceFailure, ApiError):
        return False
