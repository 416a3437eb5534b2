"""With another engine the database is a cluster of Aurora Serverless v2; all around it stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import database
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.wiring import Stack
from tests.command import User
from tests.stacks.finders import exports, only, properties, resource, resources, template

KEY = {"Fn::ImportValue": "dev-litellm-security-KmsKeyArn"}


def settings(tier: str = "dev", **own: Any) -> Settings:
    file = {
        "system": "litellm",
        "environment": "dev",
        "tier": tier,
        "alb": {"internal": True},
        "observability": {"alarm_email": "ops@example.org"},
        "database": {"engine": "aurora-postgresql"} | own,
    }
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def aurora(tier: str = "dev", **own: Any) -> Stack:
    return database.build(settings(tier, **own))


def picked(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in wanted}


def test_a_cluster_grows_and_shrinks_between_its_capacities_in_the_networks_group() -> None:
    wanted = {
        "DBClusterIdentifier": "dev-litellm-aurora",
        "Engine": "aurora-postgresql",
        "EngineVersion": {"Ref": "EngineVersion"},
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 1.5, "MaxCapacity": 8},
        "DatabaseName": "litellm",
        "Port": 5432,
        "StorageEncrypted": True,
        "KmsKeyId": KEY,
        "DBSubnetGroupName": {"Ref": "SubnetGroup"},
        "VpcSecurityGroupIds": [{"Fn::ImportValue": "dev-litellm-network-RdsSecurityGroupId"}],
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
        "CopyTagsToSnapshot": True,
        "DeletionProtection": False,
        "EnableCloudwatchLogsExports": ["postgresql"],
    }

    assert picked(properties(aurora(min_acu=1.5, max_acu=8), "DatabaseCluster"), wanted) == wanted
    assert properties(aurora("production"), "DatabaseCluster")["DeletionProtection"] is True


def test_the_last_snapshot_is_the_clusters_and_instances_hold_nothing() -> None:
    stack = aurora(reader_instances=1)
    policies = {
        name: (found["DeletionPolicy"], found["UpdateReplacePolicy"])
        for name in ("DatabaseCluster", "DatabaseInstance1", "DatabaseInstance2")
        if (found := resource(stack, name))
    }

    assert policies == {
        "DatabaseCluster": ("Snapshot", "Snapshot"),
        "DatabaseInstance1": ("Delete", "Delete"),
        "DatabaseInstance2": ("Delete", "Delete"),
    }


def test_readers_are_made_after_the_writer_and_grow_with_it() -> None:
    stack = aurora(reader_instances=2)
    instances = resources(stack, "AWS::RDS::DBInstance")

    assert {
        name: (one["Properties"]["DBInstanceIdentifier"], one["Properties"]["PromotionTier"])
        for name, one in instances.items()
    } == {
        "DatabaseInstance1": ("dev-litellm-aurora-1", 0),
        "DatabaseInstance2": ("dev-litellm-aurora-2", 1),
        "DatabaseInstance3": ("dev-litellm-aurora-3", 1),
    }
    assert [one.get("DependsOn") for one in instances.values()] == [None, *["DatabaseInstance1"] * 2]
    for one in instances.values():
        assert picked(one["Properties"], {"DBInstanceClass": "", "DBClusterIdentifier": ""}) == {
            "DBInstanceClass": "db.serverless",
            "DBClusterIdentifier": {"Ref": "DatabaseCluster"},
        }
        assert one["Properties"]["PubliclyAccessible"] is False


@pytest.mark.parametrize(("mode", "days"), [("standard", 7), ("advanced", 465)])
def test_the_mode_of_database_insights_is_the_clusters_and_its_instances_count(mode: str, days: int) -> None:
    stack = aurora(performance_insights=True, insights=mode)
    instance, cluster = (properties(stack, name) for name in ("DatabaseInstance1", "DatabaseCluster"))

    assert instance["EnablePerformanceInsights"] is True
    assert (instance["PerformanceInsightsKMSKeyId"], instance["PerformanceInsightsRetentionPeriod"]) == (
        KEY,
        days,
    )
    assert "DatabaseInsightsMode" not in instance
    told = {
        "DatabaseInsightsMode": mode,
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsKmsKeyId": KEY,
        "PerformanceInsightsRetentionPeriod": days,
    }
    wanted = told if mode == "advanced" else {"DatabaseInsightsMode": mode}
    assert {name: value for name, value in cluster.items() if "Insights" in name} == wanted


def test_tls_is_asked_for_and_no_statement_logged_as_on_an_instance() -> None:
    found = only(aurora(parameters={"work_mem": "5120"}), "AWS::RDS::DBClusterParameterGroup")["Properties"]
    instance = only(database.build(settings(engine="postgres")), "AWS::RDS::DBParameterGroup")["Properties"]

    assert found["Family"] == "aurora-postgresql15"
    assert found["Parameters"] == instance["Parameters"] | {"work_mem": "5120"}


def test_the_log_group_of_the_cluster_is_made_first() -> None:
    stack = aurora()

    assert (
        properties(stack, "DatabaseLog")["LogGroupName"] == "/aws/rds/cluster/dev-litellm-aurora/postgresql"
    )
    assert resource(stack, "DatabaseCluster")["DependsOn"] == "DatabaseLog"


def test_the_deployer_looks_the_version_up_for_the_cluster() -> None:
    assert template(aurora(engine_version="16"))["Metadata"]["gatestack"]["lookups"] == [
        {
            "parameter": "EngineVersion",
            "rule": "engine-version",
            "facts": {
                "engine": "aurora-postgresql",
                "version": "16.11",
                "identifier": "dev-litellm-aurora",
            },
        }
    ]


def test_a_snapshot_brings_database_login_and_encryption_and_a_name_of_its_own() -> None:
    found = properties(aurora(snapshot_identifier="before-the-move"), "DatabaseCluster")

    assert found["SnapshotIdentifier"] == "before-the-move"
    assert found["DBClusterIdentifier"] != "dev-litellm-aurora"
    inherited = {"DatabaseName", "MasterUsername", "MasterUserPassword", "StorageEncrypted", "KmsKeyId"}
    assert inherited & found.keys() == set()


def test_login_attachment_rotation_and_exports_are_of_the_cluster() -> None:
    stack = aurora()
    host = {"Fn::GetAtt": ["DatabaseCluster", "Endpoint.Address"]}

    assert properties(stack, "LoginSecret")["SecretString"]["Fn::Sub"][1]["Host"] == host
    assert only(stack, "AWS::SecretsManager::SecretTargetAttachment")["Properties"] == {
        "SecretId": {"Fn::ImportValue": "dev-litellm-security-DatabaseSecretArn"},
        "TargetId": {"Ref": "DatabaseCluster"},
        "TargetType": "AWS::RDS::DBCluster",
    }
    assert exports(stack) == exports(database.build(settings(engine="postgres"))) | {
        "dev-litellm-database-DbEndpoint": host,
        "dev-litellm-database-DbPort": {"Fn::GetAtt": ["DatabaseCluster", "Endpoint.Port"]},
    }
    assert resources(stack, "AWS::SecretsManager::RotationSchedule")


@pytest.mark.parametrize(("readers", "statistic"), [(0, "Average"), (1, "Maximum")])
def test_alarms_watch_the_cluster_and_its_capacity_in_the_place_of_storage(
    readers: int, statistic: str
) -> None:
    alarms = resources(aurora(reader_instances=readers), "AWS::CloudWatch::Alarm")
    found = {
        name: (
            one["Properties"]["MetricName"],
            one["Properties"]["Statistic"],
            one["Properties"]["Dimensions"],
        )
        for name, one in alarms.items()
        if one["Properties"]["Namespace"] == "AWS/RDS"
    }
    cluster = [{"Name": "DBClusterIdentifier", "Value": {"Ref": "DatabaseCluster"}}]

    assert found == {
        "HighCpu": ("CPUUtilization", statistic, cluster),
        "HighCapacity": ("ACUUtilization", statistic, cluster),
        "ManyConnections": ("DatabaseConnections", statistic, cluster),
    }


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"min_acu": 0.7}, "database.min_acu: 0.7 is not a capacity; 0 to 256 in steps of 0.5"),
        ({"max_acu": 0.5}, "database.max_acu: 0.5 is not a capacity; 1 to 256 in steps of 0.5"),
        ({"max_acu": 256.5}, "database.max_acu: 256.5 is not a capacity; 1 to 256 in steps of 0.5"),
        ({"max_acu": float("inf")}, "database.max_acu: .inf is not a number that can be used here"),
        ({"min_acu": True}, "database.min_acu: expected a number, found the boolean true"),
        ({"min_acu": 6, "max_acu": 4}, "database.min_acu: 6 is more than max_acu, 4"),
        ({"reader_instances": 16}, "database.reader_instances: 16 is out of range; 0 to 15 readers"),
        (
            {"backup_retention_days": 0},
            "database.backup_retention_days: Aurora's backups cannot be switched off; 1 or more",
        ),
        (
            {"engine_version": "16.6"},
            (
                'database.engine_version: Aurora no longer creates 16.6; "16.8" or later, '
                'or "16" for the tested minor'
            ),
        ),
        (
            {"engine_version": "14.9"},
            (
                "database.engine_version: Aurora PostgreSQL 14 cannot be created; "
                'one of the majors 15, 16, 17, "15" for the tested minor'
            ),
        ),
    ],
)
def test_what_aurora_does_not_have_is_refused(own: dict[str, Any], problem: str) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        settings(**own)

    assert [str(one) for one in caught.value.problems] == [problem]


def test_what_is_an_instances_alone_is_not_looked_at() -> None:
    found = settings("production", multi_az=False, storage_gb=100, max_storage_gb=101, min_acu=2)

    assert "AllocatedStorage" not in json.dumps(template(database.build(found)))


def test_choices_that_will_be_regretted_are_told() -> None:
    assert [
        line
        for line in advice(settings("production", min_acu=0, performance_insights=True))
        if line.startswith("database.")
    ] == [
        "database.min_acu: 0 pauses the database only while no task runs: tasks keep connections open",
        "database.performance_insights: AWS advises a min_acu of 2 or more with it",
        "database.reader_instances: without one a failed instance is away for minutes (production)",
    ]


@pytest.mark.deep
def test_a_cluster_is_deployed_changed_and_taken_down(user: User) -> None:
    user.edit("local", "service:\n", "database: {engine: aurora-postgresql, max_acu: 2}\n\nservice:\n")
    made = user.run("deploy", "local", "--yes", "--format", "json")
    assert made.code == 0, made.err
    outputs = json.loads(made.out)["outputs"]["database"]
    assert outputs["DbEndpoint"].startswith("local-litellm-aurora.")

    user.edit("local", "max_acu: 2", "max_acu: 8, reader_instances: 1")
    changed = user.run("deploy", "local", "--yes")
    assert changed.code == 0, changed.err

    gone = user.run("destroy", "local", "--yes")
    assert (gone.code, "local: 5 stacks deleted" in gone.err) == (0, True), gone.err
