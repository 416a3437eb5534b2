"""Final snapshots of databases: RDS tells them by the database, CloudFormation has made their names up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from deployer.aws.errors import call as ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.kept import Kept, Snapshot


@dataclass(frozen=True)
class _Kind:
    method: str
    member: str
    database: str
    snapshot: str

    @property
    def arn(self) -> str:
        return self.snapshot.replace("Identifier", "Arn")


KINDS: Mapping[str, _Kind] = {
    "AWS::RDS::DBInstance": _Kind(
        "describe_db_snapshots", "DBSnapshots", "DBInstanceIdentifier", "DBSnapshotIdentifier"
    ),
    "AWS::RDS::DBCluster": _Kind(
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots",
        "DBClusterIdentifier",
        "DBClusterSnapshotIdentifier",
    ),
}
"""How a type's snapshots are asked for (RDS API Reference)."""


def final_snapshot(clients: Clients, one: Kept, stack_name: str) -> Snapshot | None:
    """
    Return the newest manual snapshot of *one* that has the name of a final one of the stack.

    Raises:
        DeployError: RDS cannot be asked.

    """
    kind = KINDS.get(one.type)
    if kind is None:
        return None
    which = {kind.database: one.physical_id, "SnapshotType": "manual"}
    found = [
        each
        for page in pages(partial(ask, clients("rds"), kind.method, **which), f"rds {kind.method}", "Marker")
        for each in page[kind.member]
    ]
    prefix = f"{stack_name}-snapshot-{one.logical_id}-".lower()
    ours = [each for each in found if each[kind.snapshot].startswith(prefix)]
    if not ours:
        return None
    newest = max(ours, key=lambda each: str(each.get("SnapshotCreateTime", "")))
    return Snapshot(newest[kind.snapshot], newest[kind.arn], int(newest.get("AllocatedStorage") or 0))
