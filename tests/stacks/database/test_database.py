"""The database stack holds S1's PostgreSQL, no password in clear, the tasks' login, and the migration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import database
from stacks.database import server
from stacks.environment import parse_settings
from stacks.settings import Settings
from stacks.systems.litellm import PLACES
from tests.stacks.finders import exports, only, properties, resource, resources, template

KEY = {"Fn::ImportValue": "dev-litellm-security-KmsKeyArn"}
ADMINISTRATOR = {"Administrator": {"Fn::ImportValue": "dev-litellm-security-DatabaseSecretArn"}}


def settings(tier: str = "dev", **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "tier": tier, "alb": {"internal": True}, **sections}
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def instance(tier: str = "dev", **sections: Any) -> dict[str, Any]:
    return properties(database.build(settings(tier, **sections)), "Database")


def picked(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in wanted}


def test_the_instance_has_the_identifier_engine_size_storage_and_windows_of_s1() -> None:
    wanted = {
        "DBInstanceIdentifier": "dev-litellm-db",
        "Engine": "postgres",
        "DBInstanceClass": "db.t3.micro",
        "StorageType": "gp3",
        "AllocatedStorage": {"Ref": "AllocatedStorage"},
        "MaxAllocatedStorage": 100,
        "StorageEncrypted": True,
        "KmsKeyId": KEY,
        "MultiAZ": False,
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
        "Port": "5432",
        "DBName": "litellm",
        "PubliclyAccessible": False,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": False,
        "EnablePerformanceInsights": False,
        "DatabaseInsightsMode": "standard",
    }

    assert picked(instance(), wanted) == wanted


def test_production_adds_multi_az_protection_insights_and_a_larger_class() -> None:
    wanted = {
        "DBInstanceClass": "db.m7g.large",
        "MultiAZ": True,
        "DeletionProtection": True,
        "EnablePerformanceInsights": True,
        "PerformanceInsightsKMSKeyId": KEY,
        "PerformanceInsightsRetentionPeriod": 7,
        "DatabaseInsightsMode": "standard",
    }

    assert picked(instance("production"), wanted) == wanted


def test_minor_versions_follow_by_themselves_and_paid_extended_support_is_refused() -> None:
    wanted = {
        "AutoMinorVersionUpgrade": True,
        "AllowMajorVersionUpgrade": True,
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "EngineVersion": {"Ref": "EngineVersion"},
    }

    assert picked(instance(), wanted) == wanted


@pytest.mark.parametrize(("configured", "asked"), [("15", "15.15"), ("16.11", "16.11")])
def test_the_deployer_is_told_what_to_look_up_for_which_database(configured: str, asked: str) -> None:
    document = template(database.build(settings(database={"engine_version": configured})))

    assert document["Parameters"]["EngineVersion"]["Default"] == asked
    assert document["Metadata"]["gatestack"]["lookups"] == [
        {
            "parameter": "EngineVersion",
            "rule": "engine-version",
            "facts": {"engine": "postgres", "version": asked, "identifier": "dev-litellm-db"},
        },
        {
            "parameter": "AllocatedStorage",
            "rule": "allocated-storage",
            "facts": {"identifier": "dev-litellm-db", "size": "20", "most": "100", "snapshot": ""},
        },
    ]
    assert document["Parameters"]["AllocatedStorage"]["Default"] == 20


@pytest.mark.parametrize("tier", ["dev", "production"])
def test_a_last_snapshot_survives_the_database_in_every_tier(tier: str) -> None:
    found = resource(database.build(settings(tier)), "Database")

    assert (found["DeletionPolicy"], found["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")


def test_name_and_password_come_by_dynamic_reference_from_the_administrators_secret() -> None:
    found = instance()

    assert [found["MasterUsername"], found["MasterUserPassword"]] == [
        {
            "Fn::Sub": [
                f"{{{{resolve:secretsmanager:${{Administrator}}:SecretString:{field}}}}}",
                ADMINISTRATOR,
            ]
        }
        for field in ("username", "password")
    ]


def test_a_snapshot_brings_its_own_database_user_and_encryption_and_gets_a_new_password() -> None:
    found = instance(database={"snapshot_identifier": "before-the-move"})

    assert found["DBSnapshotIdentifier"] == "before-the-move"
    assert {"DBName", "MasterUsername", "StorageEncrypted", "KmsKeyId"} & found.keys() == set()
    assert "MasterUserPassword" in found


def test_the_restored_instance_has_a_name_of_its_own_to_be_made_beside_the_old_one() -> None:
    names = [
        instance(database={"snapshot_identifier": snapshot})["DBInstanceIdentifier"]
        for snapshot in (None, "monday", "tuesday", "monday")
    ]

    assert names[0] == "dev-litellm-db"
    assert len(set(names)) == 3
    assert names[1] == names[3]


def test_only_tls_is_accepted_and_no_statement_reaches_the_log() -> None:
    found = only(database.build(settings()), "AWS::RDS::DBParameterGroup")["Properties"]

    assert found["Family"] == "postgres15"
    assert found["Parameters"] == {
        "rds.force_ssl": "1",
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
    }


def test_parameters_of_the_environment_file_are_laid_over_ours() -> None:
    wanted = {"log_min_duration_statement": "1000", "max_connections": "200"}
    stack = database.build(settings(database={"engine_version": "16", "parameters": wanted}))
    found = only(stack, "AWS::RDS::DBParameterGroup")["Properties"]

    assert found["Family"] == "postgres16"
    assert found["Parameters"] == server.PARAMETERS | wanted


@pytest.mark.parametrize(("data_subnets", "kind"), [(False, "Private"), (True, "Data")])
def test_the_database_lives_in_the_private_or_the_data_subnets(data_subnets: bool, kind: str) -> None:  # noqa: FBT001  # a parametrized case
    stack = database.build(settings(network={"data_subnets": data_subnets}))

    assert only(stack, "AWS::RDS::DBSubnetGroup")["Properties"]["SubnetIds"] == [
        {"Fn::ImportValue": f"dev-litellm-network-{kind}Subnet{zone}Id"} for zone in (1, 2)
    ]
    assert properties(stack, "Database")["VPCSecurityGroups"] == [
        {"Fn::ImportValue": "dev-litellm-network-RdsSecurityGroupId"}
    ]


def test_its_log_groups_are_made_first_with_key_and_retention() -> None:
    stack = database.build(settings(observability={"log_retention_days": 30}))

    for title, log in {"DatabaseLog": "postgresql", "DatabaseUpgradeLog": "upgrade"}.items():
        found = properties(stack, title)
        assert found["LogGroupName"] == f"/aws/rds/instance/dev-litellm-db/{log}"
        assert (found["RetentionInDays"], found["KmsKeyId"]) == (30, KEY)
    assert resource(stack, "Database")["DependsOn"] == ["DatabaseLog", "DatabaseUpgradeLog"]
    assert properties(stack, "Database")["EnableCloudwatchLogsExports"] == ["postgresql", "upgrade"]


def test_the_login_secret_is_complete_and_holds_references_only() -> None:
    found = only(database.build(settings()), "AWS::SecretsManager::Secret")["Properties"]
    text, values = found["SecretString"]["Fn::Sub"]
    user = "{{resolve:secretsmanager:${Administrator}:SecretString:username}}"
    password = "{{resolve:secretsmanager:${Administrator}:SecretString:password}}"

    assert (found["Name"], found["KmsKeyId"]) == ("dev-litellm/database-login", KEY)
    assert values == ADMINISTRATOR | {"Host": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}
    assert json.loads(text) == {
        "engine": "postgres",
        "host": "${Host}",
        "port": 5432,
        "dbname": "litellm",
        "username": user,
        "password": password,
        "DATABASE_URL": f"postgresql://{user}:{password}@${{Host}}:5432/litellm?sslmode=require",
    }


@pytest.mark.parametrize("tier", ["dev", "production"])
def test_the_login_secret_goes_with_its_stack_so_that_another_can_be_made(tier: str) -> None:
    found = only(database.build(settings(tier)), "AWS::SecretsManager::Secret")

    assert (found["DeletionPolicy"], found["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_the_administrators_secret_is_completed_with_the_database() -> None:
    assert only(database.build(settings()), "AWS::SecretsManager::SecretTargetAttachment")["Properties"] == {
        "SecretId": ADMINISTRATOR["Administrator"],
        "TargetId": {"Ref": "Database"},
        "TargetType": "AWS::RDS::DBInstance",
    }


def test_the_three_alarms_of_s1_ring_the_alarm_topic() -> None:
    alarms = resources(database.build(settings()), "AWS::CloudWatch::Alarm")
    del alarms["DatabaseRotationErrors"]
    limits = {
        name: tuple(
            alarm["Properties"][key]
            for key in ("MetricName", "ComparisonOperator", "Threshold", "EvaluationPeriods", "Period")
        )
        for name, alarm in alarms.items()
    }

    assert limits == {
        "HighCpu": ("CPUUtilization", "GreaterThanThreshold", 80, 3, 300),
        "LowStorage": ("FreeStorageSpace", "LessThanThreshold", 5 * 1024**3, 3, 300),
        "ManyConnections": ("DatabaseConnections", "GreaterThanThreshold", 80, 3, 300),
    }
    for name, alarm in alarms.items():
        found = alarm["Properties"]
        assert found["AlarmName"] == f"dev-litellm-database-{name}"
        assert found["AlarmActions"] == [{"Fn::ImportValue": "dev-litellm-security-AlarmTopicArn"}]
        assert found["Namespace"] == "AWS/RDS"
        assert found["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": {"Ref": "Database"}}]


def test_the_connection_alarm_rings_at_the_configured_number() -> None:
    stack = database.build(settings(database={"connection_alarm": 180}))

    assert properties(stack, "ManyConnections")["Threshold"] == 180


def test_the_stack_exports_how_to_reach_the_database() -> None:
    assert exports(database.build(settings())) == {
        "dev-litellm-database-DbEndpoint": {"Fn::GetAtt": ["Database", "Endpoint.Address"]},
        "dev-litellm-database-DbPort": {"Fn::GetAtt": ["Database", "Endpoint.Port"]},
        "dev-litellm-database-DbName": "litellm",
        "dev-litellm-database-DbSecretArn": {"Ref": "LoginSecret"},
        "dev-litellm-database-MigrationTaskArn": {"Ref": "MigrationTask"},
    }


# The migration


def migration(configured: Settings) -> dict[str, Any]:
    found: dict[str, Any] = properties(database.build(configured), "MigrationTask")["ContainerDefinitions"][0]
    return found


def variables(configured: Settings) -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in migration(configured)["Environment"]}


def test_the_migration_is_litellms_script_with_four_gigabytes_and_only_the_databases_login() -> None:
    of = settings()
    found = migration(of)
    task = properties(database.build(of), "MigrationTask")

    assert (task["Family"], task["Cpu"], task["Memory"]) == ("dev-litellm-migration", "1024", "4096")
    assert found["EntryPoint"] == ["python", "litellm/proxy/prisma_migration.py"]
    assert {entry["Name"]: entry["ValueFrom"] for entry in found["Secrets"]} == {
        f"DATABASE_{field.upper()}": {"Fn::Join": ["", [{"Ref": "LoginSecret"}, f":{field}::"]]}
        for field in ("username", "password")
    }


def test_the_migration_changes_the_schema_and_fails_aloud() -> None:
    assert variables(settings(service={"environment": {"DATABASE_SCHEMA": "gateway"}})) == {
        **PLACES,
        "DATABASE_HOST": {"Fn::GetAtt": ["Database", "Endpoint.Address"]},
        "DATABASE_NAME": "litellm",
        "DATABASE_SCHEMA": "gateway",
        "DISABLE_SCHEMA_UPDATE": "false",
        "ENFORCE_PRISMA_MIGRATION_CHECK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "INFO",
        "LITELLM_MODE": "PRODUCTION",
    }


@pytest.mark.parametrize(
    ("configured", "image"),
    [
        ({"image_tag": "v1.108.7"}, "dev-litellm:v1.108.7"),
        ({"image_tag": "sha256:" + "a" * 64}, "dev-litellm@sha256:" + "a" * 64),
    ],
)
def test_an_own_image_is_named_before_its_repository_is_there(configured: dict[str, str], image: str) -> None:
    assert migration(settings(service=configured))["Image"] == {
        "Fn::Sub": f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{image}"
    }


def test_another_registrys_image_is_named_as_it_is() -> None:
    found = migration(settings(service={"image": "ghcr.io/x/y", "image_tag": "v1.108.7"}))

    assert found["Image"] == "ghcr.io/x/y:v1.108.7"


@pytest.mark.parametrize(("tier", "insights"), [("dev", "disabled"), ("production", "enabled")])
def test_the_migration_has_a_cluster_and_a_log_of_its_own(tier: str, insights: str) -> None:
    stack = database.build(settings(tier, observability={"log_retention_days": 30}))
    log = properties(stack, "MigrationLog")
    logging = properties(stack, "MigrationTask")["ContainerDefinitions"][0]["LogConfiguration"]["Options"]

    assert properties(stack, "MigrationCluster")["ClusterName"] == "dev-litellm-migration"
    assert properties(stack, "MigrationCluster")["ClusterSettings"] == [
        {"Name": "containerInsights", "Value": insights}
    ]
    assert (log["LogGroupName"], log["RetentionInDays"], log["KmsKeyId"]) == (
        "/ecs/dev-litellm-migration",
        30,
        KEY,
    )
    assert (logging["awslogs-group"], logging["awslogs-stream-prefix"]) == (
        {"Ref": "MigrationLog"},
        "migration",
    )
