"""What AWS moves by itself is no drift; everything beyond is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployer.aws.drift import resource_drifts
from deployer.day2.drift_state import PropertyDrift, ResourceDrift
from deployer.day2.owned import OWNED, moved
from tests.places import ROOT

INSTANCE, CLUSTER = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
CACHE = "AWS::ElastiCache::ReplicationGroup"
OWN = [
    (INSTANCE, "/EngineVersion", "15.15", "15.17"),
    (INSTANCE, "/AllocatedStorage", "20", "25"),
    (INSTANCE, "/AllocatedStorage", "20", "100"),
    (CLUSTER, "/EngineVersion", "16", "16.9"),
    (CACHE, "/EngineVersion", "7.1", "7.1.0"),
]
OTHERS = [
    (INSTANCE, "/EngineVersion", "15.15", "15.13"),
    (INSTANCE, "/EngineVersion", "15.15", "16.9"),
    (INSTANCE, "/EngineVersion", "15.15", "null"),
    (INSTANCE, "/AllocatedStorage", "20", "19"),
    (INSTANCE, "/AllocatedStorage", "20", "101"),
    (INSTANCE, "/AllocatedStorage", "20", "null"),
    (INSTANCE, "/MaxAllocatedStorage", "100", "200"),
    (INSTANCE, "/EngineVersionAndMore", "15.15", "15.17"),
    (CLUSTER, "/AllocatedStorage", "20", "25"),
    (CACHE, "/EngineVersion", "7.1", "8.0"),
]


def drift(kind: str, *differences: tuple[str, str, str], status: str = "MODIFIED") -> ResourceDrift:
    found = tuple(PropertyDrift(*one, "NOT_EQUAL") for one in differences)
    return ResourceDrift("It", kind, "it", status, found, numbers={"MaxAllocatedStorage": 100})


@pytest.mark.parametrize(("kind", "path", "expected", "actual"), OWN)
def test_a_move_of_awss_is_no_drift_and_is_told(kind: str, path: str, expected: str, actual: str) -> None:
    left, texts = moved(drift(kind, (path, expected, actual)))

    assert left is None
    assert [text.partition(" is not drift: ")[0] for text in texts] == [f"It{path} {expected} -> {actual}"]


@pytest.mark.parametrize(("kind", "path", "expected", "actual"), OTHERS)
def test_everything_else_stays_drift(kind: str, path: str, expected: str, actual: str) -> None:
    found = drift(kind, (path, expected, actual))

    assert moved(found) == (found, ())


def test_what_drift_detection_does_not_read_is_no_drift_and_what_it_reads_is() -> None:
    def of(kind: str, path: str = "/MutualAuthentication") -> ResourceDrift:
        found = PropertyDrift(path, '{"Mode":"off"}', "null", kind)
        return ResourceDrift(
            "HttpsListener", "AWS::ElasticLoadBalancingV2::Listener", "x", "MODIFIED", (found,)
        )

    left, (text,) = moved(of("REMOVE"))
    assert left is None
    assert text.endswith("is not drift: drift detection does not read every mode")
    for drifted in (of("NOT_EQUAL"), of("REMOVE", "/MutualAuthentication/Mode"), of("REMOVE", "/Port")):
        assert moved(drifted) == (drifted, ())


def test_a_row_says_who_moves_it_and_where_that_is_written() -> None:
    assert all(row.mover and row.source for row in OWNED)


UNSAID = {
    "AWS::RDS::DBInstance": {"AvailabilityZone", "Iops", "StorageThroughput"},
    "AWS::RDS::DBCluster": {"AvailabilityZones", "AllocatedStorage", "Iops"},
    "AWS::ElastiCache::ReplicationGroup": {"PreferredCacheClusterAZs", "PrimaryClusterId"},
}
"""Other properties that AWS moves: drift is looked for in what a template says."""


@pytest.mark.parametrize("folder", sorted((ROOT / "tests" / "golden").iterdir()), ids=lambda one: one.name)
def test_no_template_says_what_else_aws_moves(folder: Path) -> None:
    path = folder / "database.json"
    resources = json.loads(path.read_text())["Resources"].values() if path.exists() else ()
    said = {one["Type"]: one.get("Properties", {}).keys() for one in resources}

    assert {kind: found & UNSAID[kind] for kind, found in said.items() if kind in UNSAID} == {
        kind: set() for kind in said if kind in UNSAID
    }
    for one in resources:
        if "DBClusterIdentifier" in one.get("Properties", {}) and one["Type"] == INSTANCE:
            assert "EngineVersion" not in one["Properties"]


def test_what_else_differs_in_the_same_resource_stays() -> None:
    left, texts = moved(drift(INSTANCE, ("/EngineVersion", "15.15", "15.17"), ("/MultiAZ", "true", "false")))

    assert left == drift(INSTANCE, ("/MultiAZ", "true", "false"))
    assert len(texts) == 1


def test_a_deleted_database_stays_drift_whatever_it_was_like() -> None:
    found = drift(INSTANCE, ("/AllocatedStorage", "20", "25"), status="DELETED")

    assert moved(found) == (found, ())


def test_without_a_known_limit_a_larger_disk_is_drift() -> None:
    found = ResourceDrift(
        "It", INSTANCE, "it", "MODIFIED", (PropertyDrift("/AllocatedStorage", "20", "25", "NOT_EQUAL"),)
    )

    assert moved(found) == (found, ())


def test_limits_are_read_from_what_was_deployed_and_nothing_but_numbers_is() -> None:
    answer = {
        "LogicalResourceId": "It",
        "ResourceType": INSTANCE,
        "StackResourceDriftStatus": "MODIFIED",
        "ExpectedProperties": json.dumps(
            {"MaxAllocatedStorage": 100, "AllocatedStorage": "20", "MultiAZ": True, "Name": "sk-1"}
        ),
    }

    def pages(*_: str, **__: Any) -> Any:
        yield {"StackResourceDrifts": [answer]}

    assert resource_drifts(pages, "id")[0].numbers == {"MaxAllocatedStorage": 100, "AllocatedStorage": 20}
