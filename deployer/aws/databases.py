"""Databases of an account: versions, storage, snapshots. Returns None where an endpoint has no RDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from deployer.aws.endpoint import emulated
from deployer.aws.errors import call
from deployer.aws.paging import pages
from deployer.aws.snapshots import Snapshots, final_snapshot
from deployer.aws.tasks import Tasks, is_absent
from deployer.errors import CloudError, LostSight, NotAllowed
from deployer.kept import Kept, Snapshot
from deployer.run.snapshots import DatabaseSnapshot
from generator.manifest import SnapshotFirst

Found = TypeVar("Found")


class Databases(Tasks):
    """Look-ups in RDS."""

    def final_snapshot(self, one: Kept, stack_name: str) -> Snapshot | None:
        """Return the newest snapshot that CloudFormation took of *one*."""
        return self._where_there_is("rds", lambda: final_snapshot(self._clients, one, stack_name))

    def database_snapshots(self, wanted: SnapshotFirst) -> tuple[DatabaseSnapshot, ...] | None:
        """Return the manual snapshots of a database."""
        try:
            return self._snapshots(wanted).all()
        except (CloudError, LostSight) as error:
            if emulated(self._clients("rds")) and is_absent(error):
                return None
            raise

    def take_snapshot(self, wanted: SnapshotFirst, name: str, tags: Mapping[str, str]) -> bool:
        """Ask for a snapshot; False while the database is busy."""
        return self._snapshots(wanted).take(name, tags)

    def delete_snapshot(self, wanted: SnapshotFirst, name: str) -> None:
        """Delete a manual snapshot."""
        self._snapshots(wanted).delete(name)

    def _snapshots(self, wanted: SnapshotFirst) -> Snapshots:
        return Snapshots(wanted, partial(self._ask, "rds"))

    def engine_versions(self, engine: str) -> tuple[str, ...] | None:
        """Return the versions of a database engine that the region offers."""

        def look() -> tuple[str, ...] | None:
            ask = partial(call, self._clients("rds"), "describe_db_engine_versions", Engine=engine)
            found = tuple(
                one["EngineVersion"]
                for page in pages(ask, "rds describe_db_engine_versions", "Marker")
                for one in page.get("DBEngineVersions", ())
            )
            return found or None

        return self._where_there_is("rds", look)

    def database_version(self, identifier: str, *, cluster: bool = False) -> str | None:
        """Return the live engine version of a database instance, or of a cluster."""

        def look() -> str | None:
            found = self._cluster(identifier) if cluster else self._instance(identifier)
            return found.get("EngineVersion") if found else None

        return self._where_there_is("rds", look)

    def database_storage(self, identifier: str) -> int | None:
        """Return the GiB of a DB instance's disk."""

        def look() -> int | None:
            return (self._instance(identifier) or {}).get("AllocatedStorage")

        return self._where_there_is("rds", look)

    def snapshot_storage(self, snapshot: str) -> int | None:
        """Return the GiB that a DB instance made from *snapshot*, by name or ARN, needs."""

        def look() -> int | None:
            try:
                answer = call(self._clients("rds"), "describe_db_snapshots", DBSnapshotIdentifier=snapshot)
            except CloudError as error:
                if error.code in {"DBSnapshotNotFound", "DBSnapshotNotFoundFault"}:
                    return None
                raise
            return next((one.get("AllocatedStorage") for one in answer.get("DBSnapshots", ())), None)

        return self._where_there_is("rds", look)

    def _instance(self, identifier: str) -> Mapping[str, Any] | None:
        try:
            answer = call(self._clients("rds"), "describe_db_instances", DBInstanceIdentifier=identifier)
        except CloudError as error:
            if error.code in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
                return None
            raise
        return next(iter(answer.get("DBInstances", ())), None)

    def _cluster(self, identifier: str) -> Mapping[str, Any] | None:
        try:
            answer = call(self._clients("rds"), "describe_db_clusters", DBClusterIdentifier=identifier)
        except CloudError as error:
            if error.code in {"DBClusterNotFound", "DBClusterNotFoundFault"}:
                return None
            raise
        return next(iter(answer.get("DBClusters", ())), None)

    def _where_there_is(self, service: str, ask: Callable[[], Found | None]) -> Found | None:
        """
        Call *service*; None if an emulated endpoint lacks it. AWS has all services, so errors count there.
        """
        try:
            return ask()
        except NotAllowed:
            raise
        except (CloudError, LostSight):
            if emulated(self._clients(service)):
                return None
            raise
