"""What remains in the account after a stack's deletion, from its template and resources. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.states import Resource

RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True)
class Kept:
    """A resource, or the final snapshot of one, that remains after its stack is deleted."""

    logical_id: str
    type: str
    physical_id: str
    """Name, id or ARN, as the type has it."""
    arn: str = ""
    """ARN of what stays; empty if unknown (yet)."""
    snapshot: bool = False
    """Only a snapshot of it stays."""
    snapshot_id: str = ""
    """Its name, once it is made."""
    gib: int = 0
    """What was allocated for the data that is in the snapshot; 0 where AWS does not say."""
    monthly_usd: float | None = None
    """What it costs in a month, at most; None: by use, or not estimated."""

    def __str__(self) -> str:
        what = f"{self.type} {self.physical_id}"
        if self.snapshot:
            what = " ".join(filter(None, ["the final snapshot", self.snapshot_id, "of", what]))
        where = f", {self.arn}" if self.arn and self.arn != self.physical_id else ""
        return f"{self.logical_id} ({what}{where})"


@dataclass(frozen=True)
class Snapshot:
    """A database's snapshot that CloudFormation has taken."""

    id: str
    arn: str
    gib: int = 0


ARNS: Mapping[str, str] = {
    "AWS::ECR::Repository": "ecr:{place}:repository/{id}",
    "AWS::KMS::Key": "kms:{place}:key/{id}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{id}",
    "AWS::S3::Bucket": "s3:::{id}",
}
"""Type -> its ARN after the partition (Service Authorization Reference, "Resource types defined by ...")."""


def arn_of(type_: str, physical_id: str, stack_id: str) -> str:
    """Return the ARN of a resource of the stack with the ARN *stack_id*; empty if unknown."""
    if physical_id.startswith("arn:"):
        return physical_id
    if type_ not in ARNS or not stack_id.startswith("arn:"):
        return ""
    _, partition, _, region, account, _ = stack_id.split(":", 5)
    return f"arn:{partition}:" + ARNS[type_].format(place=f"{region}:{account}", id=physical_id)


def cost_line(found: Iterable[Kept]) -> str:
    """Return what *found* costs in a month, in a line; empty where nothing is kept, or nothing estimated."""
    things = tuple(found)
    priced = [one for one in things if one.monthly_usd is not None]
    if not priced:
        return ""
    most = "at most " if any(one.snapshot for one in priced) else ""
    by_use = sorted(one.logical_id for one in things if one.monthly_usd is None)
    more = f", and by use: {', '.join(by_use)}" if by_use else ""
    return f"kept: {most}${total_usd(things):,.2f} a month until it is deleted{more}"


def total_usd(found: Iterable[Kept]) -> float:
    """Return the sum of what is estimated of *found*, in US dollars and cents."""
    return round(sum(one.monthly_usd or 0 for one in found), 2)


def kept(template: str, resources: Collection[Resource], stack_id: str = "") -> tuple[Kept, ...]:
    """
    Return what stays of *resources* by the DeletionPolicy in the live *template* of the stack *stack_id*.

    What an earlier attempt at the deletion has left or snapshotted already is among it.
    """
    policies = policies_of(template)
    found = []
    for one in resources:
        policy = policies.get(one.logical_id, "Delete")
        stays = policy in RETAINED and one.status != "DELETE_COMPLETE"
        if one.physical_id and (stays or policy == "Snapshot"):
            snapshot = policy == "Snapshot"
            arn = "" if snapshot else arn_of(one.type, one.physical_id, stack_id)
            found.append(Kept(one.logical_id, one.type, one.physical_id, arn, snapshot))
    return tuple(found)


def policies_of(template: str) -> dict[str, str]:
    """Return the DeletionPolicy of each resource; none for a template that is no JSON."""
    try:
        resources = json.loads(template).get("Resources", {})
    except ValueError:
        return {}
    return {name: resource.get("DeletionPolicy", "Delete") for name, resource in resources.items()}
