"""
Manual snapshots of databases as in RDS: they take time, one at a time. In front of moto.

Sources: Amazon RDS User Guide, "Creating a DB snapshot for a Single-AZ DB instance" (the instance is
``backing-up`` meanwhile) and "Viewing Amazon RDS DB instance status"; RDS API Reference, CreateDBSnapshot,
CreateDBClusterSnapshot (63 characters of a cluster's), DeleteDBSnapshot ("must be in the available state").
On AWS the duration depends on what was written since the last one; here it is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from sandbox.services.database_storage import REGION_OF, refusal
from sandbox.services.reach import Reach

SECONDS = 120.0
MOST_CLUSTER_NAME = 63
INSIDE = "sandbox.inside"
"""Whether a request is the sandbox's own, as CloudFormation's for a final snapshot: those wait."""


@dataclass(frozen=True)
class _Kind:
    create: str
    delete: str
    snapshot: str
    database: str
    store: str
    busy: str
    undeletable: str


_KINDS = (
    _Kind(
        *("CreateDBSnapshot", "DeleteDBSnapshot", "DBSnapshotIdentifier", "DBInstanceIdentifier"),
        *("database_snapshots", "InvalidDBInstanceState", "InvalidDBSnapshotState"),
    ),
    _Kind(
        *("CreateDBClusterSnapshot", "DeleteDBClusterSnapshot"),
        *("DBClusterSnapshotIdentifier", "DBClusterIdentifier", "cluster_snapshots"),
        *("InvalidDBClusterStateFault", "InvalidDBClusterSnapshotStateFault"),
    ),
)


class Snapshots:
    """The snapshots of one account that are being made."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._expected: set[tuple[str, str, str]] = set()
        self._making: dict[tuple[str, str, str], tuple[str, float]] = {}
        """Region, store and snapshot -> its database, and the time of its completion."""

    def clear(self) -> None:
        """Forget the snapshots in progress."""
        self._making.clear()
        self._expected.clear()

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of a request about a snapshot; None if it accepts it."""
        if b"Snapshot" not in form:
            return None
        asked, region = _read(form), _region(environ)
        self._complete(region)
        for kind in _KINDS:
            name = asked.get(kind.snapshot, "")
            if asked.get("Action") == kind.delete and (region, kind.store, name) in self._making:
                return refusal(f"Cannot delete the snapshot {name}: it is being created.", kind.undeletable)
            if asked.get("Action") == kind.create and name not in self._there(region, kind):
                return self._begins(region, kind, asked, waits=INSIDE in environ)
        return None

    def _begins(self, region: str, kind: _Kind, asked: Mapping[str, str], *, waits: bool) -> bytes | None:
        """Note a new snapshot; returns why RDS refuses it now."""
        name, database = asked.get(kind.snapshot, ""), asked.get(kind.database, "")
        if kind.store == "cluster_snapshots" and len(name) > MOST_CLUSTER_NAME:
            return refusal(
                f"The parameter {kind.snapshot} is not a valid identifier.", "InvalidParameterValue"
            )
        busy = any(key[0] == region and one == database for key, (one, _) in self._making.items())
        if busy and not waits:
            return refusal(f"{database} is not currently in the available state.", kind.busy)
        self._expected.add((region, kind.store, name))
        return None

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Start the requested snapshot, if moto has created it."""
        if not self._expected or b"Snapshot" not in form:
            return
        asked, region = _read(form), _region(environ)
        for kind in _KINDS:
            key = (region, kind.store, asked.get(kind.snapshot, ""))
            if asked.get("Action") != kind.create or key not in self._expected:
                continue
            self._expected.discard(key)
            made = self._there(region, kind).get(key[2])
            if made is not None:
                made.status = "creating"
                end = self._reach.surroundings.now() + SECONDS
                self._making[key] = (asked.get(kind.database, ""), end)
                self._reach.surroundings.after(SECONDS, lambda: None)  # so that `finish` advances to it

    def _complete(self, region: str) -> None:
        now = self._reach.surroundings.now()
        for key, (_, end) in list(self._making.items()):
            if key[0] == region and end <= now:
                del self._making[key]
                kind = next(one for one in _KINDS if one.store == key[1])
                if made := self._there(region, kind).get(key[2]):
                    made.status = "available"

    def _there(self, region: str, kind: _Kind) -> Any:
        return getattr(self._reach.backend("rds", region), kind.store)


def _read(form: bytes) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(form.decode()).items()}


def _region(environ: Mapping[str, Any]) -> str:
    found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else "us-east-1"
