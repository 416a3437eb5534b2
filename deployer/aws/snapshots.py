"""Database snapshots: final ones, whose names CloudFormation chooses, and those taken before a migration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from deployer.aws.errors import call as ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.errors import CloudError
from deployer.kept import Kept, Snapshot
from deployer.run.snapshots import DatabaseSnapshot
from generator.manifest import SnapshotFirst


@dataclass(frozen=True)
class _Kind:
    create: str
    method: str
    delete: str
    member: str
    database: str
    snapshot: str

    @property
    def arn(self) -> str:
        return self.snapshot.replace("Identifier", "Arn")


KINDS: Mapping[str, _Kind] = {
    "AWS::RDS::DBInstance": _Kind(
        "create_db_snapshot",
        "describe_db_snapshots",
        "delete_db_snapshot",
        "DBSnapshots",
        "DBInstanceIdentifier",
        "DBSnapshotIdentifier",
    ),
    "AWS::RDS::DBCluster": _Kind(
        "create_db_cluster_snapshot",
        "describe_db_cluster_snapshots",
        "delete_db_cluster_snapshot",
        "DBClusterSnapshots",
        "DBClusterIdentifier",
        "DBClusterSnapshotIdentifier",
    ),
}
"""How a type's snapshots are asked for (RDS API Reference)."""

THERE = frozenset(
    {"DBSnapshotAlreadyExists", "DBClusterSnapshotAlreadyExistsFault", "DBClusterSnapshotAlreadyExists"}
)
BUSY = frozenset({"InvalidDBInstanceState", "InvalidDBClusterStateFault", "InvalidDBClusterState"})
"""While RDS backs a database up, or changes it (RDS API Reference, CreateDBSnapshot, "Errors")."""
GONE = frozenset({"DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault", "DBClusterSnapshotNotFound"})


def final_snapshot(clients: Clients, one: Kept, stack_name: str) -> Snapshot | None:
    """
    Return the newest manual snapshot of *one* that has the name of a final one of the stack.

    Raises:
        DeployError: RDS cannot be asked.

    """
    kind = KINDS.get(one.type)
    if kind is None:
        return None
    found = _manual(kind, partial(ask, clients("rds")), one.physical_id)
    prefix = f"{stack_name}-snapshot-{one.logical_id}-".lower()
    ours = [each for each in found if each[kind.snapshot].startswith(prefix)]
    if not ours:
        return None
    newest = max(ours, key=lambda each: str(each.get("SnapshotCreateTime", "")))
    return Snapshot(newest[kind.snapshot], newest[kind.arn], int(newest.get("AllocatedStorage") or 0))


class Snapshots:
    """The manual snapshots of one database."""

    def __init__(self, wanted: SnapshotFirst, request: Callable[..., Any]) -> None:
        """*request* calls a method of RDS."""
        self._database = wanted.database
        self._kind = KINDS["AWS::RDS::DBCluster" if wanted.cluster else "AWS::RDS::DBInstance"]
        self._request = request

    def all(self) -> tuple[DatabaseSnapshot, ...]:
        """Return them all."""
        now = datetime.now(UTC)
        return tuple(
            DatabaseSnapshot(
                one[self._kind.snapshot],
                one.get("Status", ""),
                (now - one["SnapshotCreateTime"]).total_seconds() if one.get("SnapshotCreateTime") else 0.0,
                {tag["Key"]: tag["Value"] for tag in one.get("TagList", ())},
            )
            for one in _manual(self._kind, self._request, self._database)
        )

    def take(self, name: str, tags: Mapping[str, str]) -> bool:
        """Ask for one; False while the database is busy."""
        which = {self._kind.database: self._database, self._kind.snapshot: name}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        try:
            self._request(self._kind.create, **which, Tags=listed)
        except CloudError as error:
            if error.code in BUSY:
                return False
            if error.code not in THERE:
                raise
        return True

    def delete(self, name: str) -> None:
        """Delete one; it is no error if it is gone."""
        try:
            self._request(self._kind.delete, **{self._kind.snapshot: name})
        except CloudError as error:
            if error.code not in GONE:
                raise


def _manual(kind: _Kind, request: Callable[..., Any], database: str) -> list[Mapping[str, Any]]:
    which = {kind.database: database, "SnapshotType": "manual"}
    asked = partial(request, kind.method, **which)
    return [one for page in pages(asked, f"rds {kind.method}", "Marker") for one in page[kind.member]]
