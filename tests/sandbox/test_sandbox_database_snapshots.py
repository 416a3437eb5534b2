"""Manual snapshots in the sandbox take their time, one at a time, as RDS's do, and the deployer sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from deployer.aws.edges import Edges
from generator.manifest import SnapshotFirst
from sandbox.server import Sandbox
from sandbox.services.database_snapshots import SECONDS
from tests.sandbox.sandbox_account import client, standing

REGION = "us-east-1"
DATABASES = (
    SnapshotFirst("dev-db", cluster=False, keep=3),
    SnapshotFirst("dev-aurora", cluster=True, keep=3),
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with standing() as made:
        rds = client(made, "rds")
        login = {"MasterUsername": "boss", "MasterUserPassword": "password-of-boss"}
        size = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
        rds.create_db_instance(DBInstanceIdentifier="dev-db", Engine="postgres", **login, **size)
        rds.create_db_cluster(DBClusterIdentifier="dev-aurora", Engine="aurora-postgresql", **login)
        yield made


@pytest.fixture
def edges(sandbox: Sandbox) -> Edges:
    return Edges(lambda service: client(sandbox, service), REGION)


@pytest.mark.parametrize("database", DATABASES, ids=["instance", "cluster"])
def test_a_snapshot_is_being_created_before_it_is_available(
    sandbox: Sandbox, edges: Edges, database: SnapshotFirst
) -> None:
    assert edges.database_snapshots(database) == ()
    assert edges.take_snapshot(database, "dev-before-1", {"gatestack:before-migration": "x:v2"})

    (one,) = edges.database_snapshots(database) or ()
    assert (one.id, one.status) == ("dev-before-1", "creating")
    assert one.tags["gatestack:before-migration"] == "x:v2"
    assert one.age_seconds < 60
    assert edges.take_snapshot(database, "dev-before-1", {}), "the same request again"
    assert not edges.take_snapshot(database, "dev-before-2", {}), "the database is busy"

    sandbox.advance(SECONDS)

    assert [each.status for each in edges.database_snapshots(database) or ()] == ["available"]
    assert edges.take_snapshot(database, "dev-before-2", {})


@pytest.mark.parametrize("database", DATABASES, ids=["instance", "cluster"])
def test_a_snapshot_goes_once_it_is_complete(sandbox: Sandbox, edges: Edges, database: SnapshotFirst) -> None:
    edges.take_snapshot(database, "dev-before-1", {})
    with pytest.raises(Exception, match="being created"):
        edges.delete_snapshot(database, "dev-before-1")

    sandbox.advance(SECONDS)
    edges.delete_snapshot(database, "dev-before-1")
    edges.delete_snapshot(database, "dev-before-1")

    assert edges.database_snapshots(database) == ()


def test_the_name_of_a_clusters_snapshot_is_short(sandbox: Sandbox) -> None:
    rds = client(sandbox, "rds")

    with pytest.raises(ClientError, match="InvalidParameterValue"):
        rds.create_db_cluster_snapshot(DBClusterIdentifier="dev-aurora", DBClusterSnapshotIdentifier="a" * 64)


def test_a_database_that_is_not_there_is_an_error(edges: Edges) -> None:
    with pytest.raises(Exception, match="dev-nobody"):
        edges.take_snapshot(SnapshotFirst("dev-nobody", cluster=False, keep=3), "dev-before-1", {})
