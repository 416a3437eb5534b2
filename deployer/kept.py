"""What the deletion of a stack leaves in the account, by its template and its resources. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.cloud import Resource

RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True)
class Kept:
    """A resource, or the final snapshot of one, that goes on after its stack."""

    logical_id: str
    type: str
    physical_id: str
    """Name, id or ARN, as the type has it."""
    snapshot: bool = False
    """Only a snapshot of it stays."""

    def __str__(self) -> str:
        how = "the final snapshot of " if self.snapshot else ""
        return f"{self.logical_id} ({how}{self.type} {self.physical_id})"


def kept(template: str, resources: Collection[Resource]) -> tuple[Kept, ...]:
    """
    Return what stays of *resources* by the DeletionPolicy in the live *template*.

    What an earlier attempt at the deletion has left or snapshotted already is among it.
    """
    policies = policies_of(template)
    found = []
    for one in resources:
        policy = policies.get(one.logical_id, "Delete")
        stays = policy in RETAINED and one.status != "DELETE_COMPLETE"
        if one.physical_id and (stays or policy == "Snapshot"):
            found.append(Kept(one.logical_id, one.type, one.physical_id, snapshot=policy == "Snapshot"))
    return tuple(found)


def policies_of(template: str) -> dict[str, str]:
    """Return the DeletionPolicy of each resource; none for a template that is no JSON."""
    try:
        resources = json.loads(template).get("Resources", {})
    except ValueError:
        return {}
    return {name: resource.get("DeletionPolicy", "Delete") for name, resource in resources.items()}
