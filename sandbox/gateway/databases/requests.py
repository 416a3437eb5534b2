"""
Parses calls to RDS's API that affect servers and their copies. Pure.

Source: Amazon RDS API Reference, the actions named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.services.database_storage import REGION_OF

INSTANCE, CLUSTER = "instance", "cluster"
ENGINES: Mapping[str, str] = {INSTANCE: "postgres", CLUSTER: "aurora-postgresql"}
IDENTIFIERS: Mapping[str, str] = {INSTANCE: "DBInstanceIdentifier", CLUSTER: "DBClusterIdentifier"}
PORT = 5432

_CREATES = {
    "CreateDBInstance": INSTANCE,
    "CreateDBCluster": CLUSTER,
    "RestoreDBInstanceFromDBSnapshot": INSTANCE,
    "RestoreDBClusterFromSnapshot": CLUSTER,
}
_COPIES = {
    "CreateDBSnapshot": (INSTANCE, "DBSnapshotIdentifier"),
    "CreateDBClusterSnapshot": (CLUSTER, "DBClusterSnapshotIdentifier"),
    "StopDBInstance": (INSTANCE, "DBSnapshotIdentifier"),
    "DeleteDBInstance": (INSTANCE, "FinalDBSnapshotIdentifier"),
    "DeleteDBCluster": (CLUSTER, "FinalDBSnapshotIdentifier"),
}
_COPIES_OF_COPIES = {
    "CopyDBSnapshot": (INSTANCE, "DBSnapshot"),
    "CopyDBClusterSnapshot": (CLUSTER, "DBClusterSnapshot"),
}


@dataclass(frozen=True)
class Snapshot:
    """A snapshot by its source's kind, and its name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Request:
    """One request of RDS's query protocol."""

    action: str
    region: str
    asked: Mapping[str, str]

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return not self.action.startswith(("Describe", "List", "Download"))

    @property
    def creates(self) -> str:
        """The kind of database that it creates, with a server of its own; empty for none."""
        kind = _CREATES.get(self.action, "")
        return "" if kind == INSTANCE and self.asked.get(IDENTIFIERS[CLUSTER]) else kind

    @property
    def restored(self) -> Snapshot | None:
        """The snapshot that it restores."""
        if not self.action.startswith("Restore") or not self.creates:
            return None
        name = "DBSnapshotIdentifier" if self.creates == INSTANCE else "SnapshotIdentifier"
        return named(self.asked.get(name, ""), self.creates)

    @property
    def copies(self) -> tuple[str, Snapshot] | None:
        """The database that it copies, and the copy's name."""
        kind, name = _COPIES.get(self.action, ("", ""))
        if not kind or not self.asked.get(name):
            return None
        return self.asked.get(IDENTIFIERS[kind], ""), Snapshot(kind, self.asked[name])

    @property
    def copies_a_copy(self) -> tuple[Snapshot, Snapshot] | None:
        """The snapshot that it copies, and the copy's name."""
        kind, name = _COPIES_OF_COPIES.get(self.action, ("", ""))
        if not kind:
            return None
        source, target = (self.asked.get(f"{which}{name}Identifier", "") for which in ("Source", "Target"))
        return named(source, kind), Snapshot(kind, target)

    @property
    def renames(self) -> tuple[str, str, str] | None:
        """Kind of the database that it renames, its name, and the new one."""
        for action, kind in (("ModifyDBInstance", INSTANCE), ("ModifyDBCluster", CLUSTER)):
            if self.action == action and (new := self.asked.get(f"New{IDENTIFIERS[kind]}")):
                return kind, self.asked.get(IDENTIFIERS[kind], ""), new
        return None

    @property
    def restarts(self) -> tuple[str, str] | None:
        """Kind and name of the database that it restarts."""
        for action, kind in (("RebootDBInstance", INSTANCE), ("RebootDBCluster", CLUSTER)):
            if self.action == action:
                return kind, self.asked.get(IDENTIFIERS[kind], "")
        return None


def read(environ: Mapping[str, Any], form: bytes) -> Request | None:
    """Return the request; None for one that is not about databases."""
    found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
    if b"DB" not in form or found is None:
        return None
    asked = dict(parse_qsl(form.decode(errors="replace"), keep_blank_values=True))
    return Request(asked.get("Action", ""), found[1], asked)


def named(identifier: str, kind: str) -> Snapshot:
    """Return the snapshot of that name or ARN; a name is one of *kind*."""
    parts = identifier.split(":")
    if parts[0] != "arn":
        return Snapshot(kind, identifier)
    return Snapshot(INSTANCE if parts[5:6] == ["snapshot"] else CLUSTER, ":".join(parts[6:]))
