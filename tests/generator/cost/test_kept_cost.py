"""What a destruction has kept, asked of AWS by type, and what it costs a month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deployer.kept import Kept, Snapshot
from deployer.progress import Result, StackResult
from gatestack.costing import with_kept_cost
from generator.cost.kept import monthly_usd
from generator.cost.prices import load
from tests.deployer.aws.test_aws import Stubs, described

CLUSTER = Kept("Cluster", "AWS::RDS::DBCluster", "db", snapshot=True)
PLACE = "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot"


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


def taken(name: str, day: int, **more: Any) -> dict[str, Any]:
    return {
        "DBClusterSnapshotIdentifier": name,
        "DBClusterSnapshotArn": f"{PLACE}:{name}",
        "SnapshotCreateTime": datetime(2026, 1, day, tzinfo=UTC),
        **more,
    }


def test_the_final_snapshot_is_the_newest_with_a_name_that_cloudformation_gives(stubs: Stubs) -> None:
    pages: list[list[dict[str, Any]]] = [
        [taken("dev-a-snapshot-cluster-1", 1), taken("by-hand", 9), taken("dev-a-snapshot-cluster2-1", 9)],
        [taken("dev-a-snapshot-cluster-2", 2, AllocatedStorage=7)],
    ]
    asked = {"DBClusterIdentifier": "db", "SnapshotType": "manual"}
    stubs.answer(
        "rds", "describe_db_cluster_snapshots", {"DBClusterSnapshots": pages[0], "Marker": "m"}, asked
    )
    stubs.answer(
        "rds", "describe_db_cluster_snapshots", {"DBClusterSnapshots": pages[1]}, {**asked, "Marker": "m"}
    )

    with stubs.active() as aws:
        found = aws.final_snapshot(CLUSTER, "dev-a")

    assert found == Snapshot("dev-a-snapshot-cluster-2", f"{PLACE}:dev-a-snapshot-cluster-2", 7)


def test_where_there_is_no_snapshot_none_is_named(stubs: Stubs) -> None:
    stubs.answer("rds", "describe_db_cluster_snapshots", {"DBClusterSnapshots": [taken("by-hand", 1)]})

    with stubs.active() as aws:
        assert aws.final_snapshot(CLUSTER, "dev-a") is None
        assert aws.final_snapshot(Kept("Key", "AWS::KMS::Key", "k"), "dev-a") is None


def test_the_newest_deleted_stack_of_each_name_is_found_and_no_page_too_many_read(stubs: Stubs) -> None:
    def listed(name: str, number: int) -> dict[str, Any]:
        found = described(name, "DELETE_COMPLETE")
        return {**found, "StackId": f"{found['StackId']}{number}"}

    first, second = [listed("dev-x", 1), listed("dev-a", 2)], [listed("dev-a", 3), listed("dev-b", 4)]
    for page, more in ((first, {"NextToken": "2"}), (second, {"NextToken": "3"})):
        stubs.answer("cloudformation", "list_stacks", {"StackSummaries": page, **more})
    for one in (first[1], second[1]):
        stubs.answer("cloudformation", "describe_stacks", {"Stacks": [one]}, {"StackName": one["StackId"]})

    with stubs.active() as aws:
        found = aws.deleted(["dev-a", "dev-b"])

    assert [one.id for one in found] == [first[1]["StackId"], second[1]["StackId"]]


@pytest.mark.parametrize(
    ("type_", "gib", "priced"),
    [
        ("AWS::KMS::Key", 0, "kms-key-month"),
        ("AWS::SecretsManager::Secret", 0, "secret-month"),
        ("AWS::RDS::DBInstance", 20, "rds-backup-gb-month"),
        ("AWS::RDS::DBCluster", 20, "aurora-backup-gb-month"),
        ("AWS::RDS::DBInstance", 0, ""),
        ("AWS::S3::Bucket", 0, ""),
        ("AWS::Logs::LogGroup", 0, ""),
        ("AWS::ECR::Repository", 0, ""),
    ],
)
def test_what_is_kept_costs_what_the_table_of_prices_says_or_goes_by_use(
    type_: str, gib: int, priced: str
) -> None:
    prices = load("us-east-1")
    each = prices.price(priced).usd if priced else None

    wanted = None if each is None else pytest.approx(each * (gib or 1))
    assert monthly_usd(type_, prices, snapshot_gib=gib) == wanted


def test_the_end_of_a_destruction_is_told_with_its_cost() -> None:
    left = (Kept("Key", "AWS::KMS::Key", "k"), Kept("Logs", "AWS::S3::Bucket", "b"))
    stack = StackResult("a", "dev-a", "delete", "done", "", 1.0, kept=left)

    (priced,) = with_kept_cost(Result("dev", "destroy", (stack,)), "us-east-1").stacks

    assert [one.monthly_usd for one in priced.kept] == [1.0, None]
    nothing = Result("dev", "destroy", ())
    assert with_kept_cost(nothing, "us-east-1") is nothing
