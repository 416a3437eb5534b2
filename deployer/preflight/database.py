"""Whether the region offers the configured database, and has the snapshot to restore from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployer.day2.verification import Check
from deployer.preflight.demand import Wanted


@dataclass(frozen=True)
class Server:
    """A new database server."""

    engine: str
    version: str
    instance_class: str


@dataclass(frozen=True)
class Snapshot:
    """What a new database begins from."""

    identifier: str
    cluster: bool


def servers(found: Sequence[Wanted], versions: dict[str, str]) -> tuple[Server, ...]:
    """Return the new servers; *versions*: the engine version that each stack's look-up gives, by its name."""
    made = (
        Server(
            str(one.properties.get("Engine", "")),
            versions.get(one.spec.name, ""),
            str(one.properties.get("DBInstanceClass", "")),
        )
        for one in found
        if one.type == "AWS::RDS::DBInstance"
    )
    return tuple(dict.fromkeys(one for one in made if one.engine and one.instance_class))


def snapshots(found: Sequence[Wanted]) -> tuple[Snapshot, ...]:
    """Return the snapshots that new databases begin from."""
    properties = {
        "AWS::RDS::DBInstance": ("DBSnapshotIdentifier", False),
        "AWS::RDS::DBCluster": ("SnapshotIdentifier", True),
    }
    made = ((one.properties.get(properties[one.type][0]), properties[one.type][1]) for one in found
            if one.type in properties)  # fmt: skip
    return tuple(Snapshot(name, cluster) for name, cluster in made if isinstance(name, str))


def class_check(server: Server, orderable: bool | None) -> Check:  # noqa: FBT001 - it is a fact found
    """Check whether the region offers the server."""
    what = f"{server.instance_class} with {server.engine} {server.version}".rstrip()
    if orderable is None:
        return Check("database class", "skipped", f"{what}: this endpoint offers every class")
    if orderable:
        return Check("database class", "ok", what)
    remedy = (
        "choose another `database.instance_class`: `aws rds describe-orderable-db-instance-options "
        f"--engine {server.engine} --query 'OrderableDBInstanceOptions[].DBInstanceClass'` lists them"
    )
    return Check("database class", "refused", f"the region does not offer {what}", remedy)


def snapshot_check(snapshot: Snapshot, there: bool | None) -> Check:  # noqa: FBT001 - as above
    """Check whether the snapshot exists."""
    if there is None:
        return Check("snapshot", "skipped", f"{snapshot.identifier}: not checked at this endpoint")
    if there:
        return Check("snapshot", "ok", snapshot.identifier)
    kind = "db-cluster-snapshots" if snapshot.cluster else "db-snapshots"
    remedy = f"correct `database.snapshot_identifier`: `aws rds describe-{kind}` lists them"
    return Check("snapshot", "refused", f"there is no snapshot {snapshot.identifier} here", remedy)
