"""The service stack holds S1's proxy, corrected: image, cluster, tasks, service, scaling, alarms."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.manifest import Migration, SnapshotFirst
from generator.render import render
from stacks import database, network, security, service
from stacks.environment import parse_settings
from stacks.settings import Settings
from stacks.systems import litellm_config
from stacks.systems.litellm import PLACES
from tests.stacks.finders import exports, only, properties, resource, resources, template

DIGEST = "sha256:" + "a" * 64
REGISTRY = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
LOG_LEVEL = {
    "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/dev-litellm/log-level"
}


def settings(tier: str = "dev", **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "tier": tier, "alb": {"internal": True}, **sections}
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def imported(stack: str, output: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"dev-litellm-{stack}-{output}"}


def key_of(stack: str, output: str, json_key: str) -> dict[str, Any]:
    return {"Fn::Join": ["", [imported(stack, output), f":{json_key}::"]]}


def container(configured: Settings) -> dict[str, Any]:
    found: dict[str, Any] = properties(service.build(configured), "ProxyTask")["ContainerDefinitions"][0]
    return found


def variables(configured: Settings) -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in container(configured)["Environment"]}


def secrets(configured: Settings) -> dict[str, Any]:
    return {entry["Name"]: entry["ValueFrom"] for entry in container(configured)["Secrets"]}


def picked(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in wanted}


# The image repository


def test_the_repository_belongs_to_the_environment_scans_and_keeps_its_last_images() -> None:
    found = only(service.build(settings()), "AWS::ECR::Repository")["Properties"]
    rules = json.loads(found["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]

    assert found["RepositoryName"] == "dev-litellm"
    assert found["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert found["EncryptionConfiguration"] == {
        "EncryptionType": "KMS",
        "KmsKey": imported("security", "KmsKeyArn"),
    }
    assert [rule["selection"] for rule in rules] == [
        {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20}
    ]


@pytest.mark.parametrize(
    ("tier", "wanted"),
    [
        ("dev", ("MUTABLE", True, "Delete", "Delete")),
        ("production", ("IMMUTABLE", False, "Retain", "Retain")),
    ],
)
def test_only_outside_production_are_tags_movable_and_images_deleted(
    tier: str, wanted: tuple[object, ...]
) -> None:
    found = only(service.build(settings(tier)), "AWS::ECR::Repository")
    configured = found["Properties"]

    assert wanted == (
        configured["ImageTagMutability"],
        configured["EmptyOnDelete"],
        found["DeletionPolicy"],
        found["UpdateReplacePolicy"],
    )


@pytest.mark.parametrize(
    ("configured", "image"),
    [
        ({"image_tag": "v1.108.7"}, {"Fn::Sub": f"{REGISTRY}/dev-litellm:v1.108.7"}),
        ({"image_tag": DIGEST}, {"Fn::Sub": f"{REGISTRY}/dev-litellm@{DIGEST}"}),
        ({"image": "ghcr.io/x/y", "image_tag": "v1.108.7"}, "ghcr.io/x/y:v1.108.7"),
        ({"image": "ghcr.io/x/y", "image_tag": DIGEST}, f"ghcr.io/x/y@{DIGEST}"),
    ],
)
def test_the_proxy_and_the_migration_run_the_configured_image(configured: dict[str, str], image: Any) -> None:
    of = settings(service=configured)
    migration = properties(database.build(of), "MigrationTask")["ContainerDefinitions"][0]

    assert [container(of)["Image"], migration["Image"]] == [image, image]


# Cluster and log


@pytest.mark.parametrize(("tier", "insights"), [("dev", "disabled"), ("production", "enabled")])
def test_the_cluster_has_both_kinds_of_fargate_and_insights_in_production(tier: str, insights: str) -> None:
    stack = service.build(settings(tier))
    capacity = properties(stack, "CapacityProviders")

    assert properties(stack, "Cluster")["ClusterName"] == "dev-litellm"
    assert properties(stack, "Cluster")["ClusterSettings"] == [
        {"Name": "containerInsights", "Value": insights}
    ]
    assert capacity["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


@pytest.mark.parametrize(("tier", "days"), [("dev", 14), ("production", 90)])
def test_the_log_group_has_s1s_name_its_retention_and_the_customer_key(tier: str, days: int) -> None:
    wanted = {
        "LogGroupName": "/ecs/dev-litellm-proxy",
        "RetentionInDays": days,
        "KmsKeyId": imported("security", "KmsKeyArn"),
    }

    assert picked(properties(service.build(settings(tier)), "TaskLog"), wanted) == wanted


# The proxy's task definition


def test_the_task_is_s1s_with_two_gigabytes() -> None:
    wanted = {
        "Family": "dev-litellm-proxy",
        "Cpu": "512",
        "Memory": "2048",
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "RuntimePlatform": {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
        "ExecutionRoleArn": imported("security", "ExecutionRoleArn"),
        "TaskRoleArn": imported("security", "TaskRoleArn"),
    }

    assert picked(properties(service.build(settings()), "ProxyTask"), wanted) == wanted


def test_size_and_architecture_come_from_the_environment_file() -> None:
    of = settings(service={"cpu": 1024, "memory_mb": 4096, "architecture": "arm64"})
    stack = service.build(of)
    task = properties(stack, "ProxyTask")

    assert (task["Cpu"], task["Memory"]) == ("1024", "4096")
    assert [
        properties(built, name)["RuntimePlatform"]["CpuArchitecture"]
        for built, name in ((stack, "ProxyTask"), (database.build(of), "MigrationTask"))
    ] == ["ARM64", "ARM64"]


def test_the_container_listens_on_4000_logs_to_its_group_and_may_take_two_minutes_to_stop() -> None:
    found = container(settings())
    logs = found["LogConfiguration"]

    assert (found["Name"], found["Essential"], found["StopTimeout"]) == ("litellm-proxy", True, 120)
    assert found["PortMappings"] == [{"ContainerPort": 4000, "Protocol": "tcp"}]
    assert logs == {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": {"Ref": "TaskLog"},
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "proxy",
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def test_the_command_names_a_config_so_that_litellm_reads_general_settings() -> None:
    size = {"workers": 4, "cpu": 4096, "memory_mb": 8192}
    command = container(settings(service=size, database={"instance_class": "db.t3.medium"}))["Command"]

    assert command == ["--port", "4000", "--num_workers", "4", "--config", "/app/config.yaml"]


def test_the_environment_is_s1s_with_its_corrections_and_nothing_else() -> None:
    of = settings()

    assert variables(of) == {
        "DATABASE_HOST": imported("database", "DbEndpoint"),
        "DATABASE_NAME": imported("database", "DbName"),
        "DISABLE_SCHEMA_UPDATE": "true",
        "FORWARDED_ALLOW_IPS": "10.0.11.0/24,10.0.12.0/24",
        "GRACEFUL_SHUTDOWN_TIMEOUT": "110",
        "KEEPALIVE_TIMEOUT": "605",
        **PLACES,
        "LITELLM_CONFIG_BUCKET_NAME": imported("security", "ConfigBucketName"),
        "LITELLM_CONFIG_BUCKET_OBJECT_KEY": litellm_config.key(of),
        "LITELLM_MODE": "PRODUCTION",
        "STORE_MODEL_IN_DB": "true",
    }


def test_connections_outlive_the_load_balancers_and_shutdown_ends_before_the_kill() -> None:
    found = variables(settings(alb={"idle_timeout_seconds": 300}, service={"stop_timeout_seconds": 30}))

    assert (found["KEEPALIVE_TIMEOUT"], found["GRACEFUL_SHUTDOWN_TIMEOUT"]) == ("305", "20")


def test_further_variables_are_for_the_environment_file_to_ask_for() -> None:
    found = variables(settings(service={"environment": {"PROXY_BASE_URL": "https://x.example"}}))

    assert found["PROXY_BASE_URL"] == "https://x.example"


def test_the_log_level_is_read_at_each_start_so_that_it_changes_without_a_deployment() -> None:
    of = settings()
    parameter = properties(security.build(of), "LogLevelParameter")

    assert secrets(of)["LITELLM_LOG"] == LOG_LEVEL
    assert LOG_LEVEL["Fn::Sub"].endswith(f":parameter{parameter['Name']}")
    assert "LITELLM_LOG" not in variables(of)


def test_another_log_level_in_the_file_rolls_the_service_as_any_other_edit_does() -> None:
    before, after = settings(), settings(service={"log_level": "WARNING"})

    assert container(before) != container(after)


def test_without_a_way_out_the_prices_come_from_the_image_and_bedrock_knows_its_region() -> None:
    bedrock = {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]}
    of = settings(network={"nat_gateways": 0}, service=bedrock)
    found = variables(of)

    assert (found["LITELLM_LOCAL_MODEL_COST_MAP"], found["AWS_REGION_NAME"]) == ("True", "us-east-1")
    assert {"OPENAI_API_KEY", "ANTHROPIC_API_KEY"} & secrets(of).keys() == set()


def test_every_secret_comes_by_its_json_key_and_the_url_is_left_to_people() -> None:
    assert secrets(settings()) == {
        "LITELLM_MASTER_KEY": key_of("security", "MasterKeySecretArn", "LITELLM_MASTER_KEY"),
        "LITELLM_SALT_KEY": key_of("security", "SaltKeySecretArn", "LITELLM_SALT_KEY"),
        "UI_USERNAME": key_of("security", "UiPasswordSecretArn", "UI_USERNAME"),
        "UI_PASSWORD": key_of("security", "UiPasswordSecretArn", "UI_PASSWORD"),
        "OPENAI_API_KEY": key_of("security", "ApiKeysSecretArn", "OPENAI_API_KEY"),
        "ANTHROPIC_API_KEY": key_of("security", "ApiKeysSecretArn", "ANTHROPIC_API_KEY"),
        "DATABASE_USERNAME": key_of("database", "DbSecretArn", "username"),
        "DATABASE_PASSWORD": key_of("database", "DbSecretArn", "password"),
        "LITELLM_LOG": LOG_LEVEL,
    }


def test_only_the_configured_providers_get_their_key() -> None:
    found = secrets(settings(service={"providers": ["anthropic"]}))

    assert "ANTHROPIC_API_KEY" in found
    assert "OPENAI_API_KEY" not in found


def test_the_health_check_needs_no_curl_calls_no_model_and_has_s1s_times() -> None:
    check = container(settings())["HealthCheck"]
    command = check.pop("Command")

    assert command[:3] == ["CMD", "python3", "-c"]
    assert "http://127.0.0.1:4000/health/liveliness" in command[3]
    compile(command[3], "health check", "exec")
    assert check == {"Interval": 30, "Timeout": 10, "Retries": 5, "StartPeriod": 180}


# LiteLLM's own file


def test_the_config_is_uploaded_under_a_name_that_follows_from_its_content() -> None:
    of = settings()
    digest = sha256(litellm_config.text(of).encode()).hexdigest()[:16]

    assert template(service.build(of))["Metadata"]["gatestack"]["uploads"][0] == {
        "file": "litellm-config.yaml",
        "bucket_export": "dev-litellm-security-ConfigBucketName",
        "key": f"litellm/config-{digest}.yaml",
    }


def test_the_config_is_what_the_environment_file_says_and_an_edit_rolls_the_service() -> None:
    models = [
        {
            "model_name": "größte",
            "litellm_params": {"model": "openai/gpt-5", "api_key": "os.environ/OPENAI_API_KEY"},
        }
    ]
    before, after = settings(), settings(service={"config": {"model_list": models}})

    assert yaml.safe_load(litellm_config.text(after))["model_list"] == models
    assert "größte" in litellm_config.text(after)
    assert (
        variables(before)["LITELLM_CONFIG_BUCKET_OBJECT_KEY"]
        != variables(after)["LITELLM_CONFIG_BUCKET_OBJECT_KEY"]
    )


# The migration


@pytest.mark.parametrize(
    ("configured", "image"),
    [
        ({"image_tag": "v1.108.7"}, "dev-litellm:v1.108.7"),
        ({"image": "ghcr.io/x/y", "image_tag": DIGEST}, f"ghcr.io/x/y@{DIGEST}"),
    ],
)
def test_the_service_asks_for_the_migration_that_the_database_stack_has(
    configured: dict[str, str], image: str
) -> None:
    manifest = render(settings(service=configured))
    asked = {stack.name: stack.migration for stack in manifest.stacks if stack.migration}

    assert asked == {
        "service": Migration(
            image=image,
            definition_export="dev-litellm-database-MigrationTaskArn",
            cluster="dev-litellm-migration",
            container="litellm-migration",
            subnet_exports=("dev-litellm-network-PrivateSubnet1Id", "dev-litellm-network-PrivateSubnet2Id"),
            security_group_exports=("dev-litellm-network-EcsSecurityGroupId",),
            log_group="/ecs/dev-litellm-migration",
            old_tasks_minutes=16,  # start 180 s, two checks of 30 s, 600 s to drain and 120 s to stop
        )
    }


@pytest.mark.parametrize(
    ("engine", "database"), [("postgres", "prod-litellm-db"), ("aurora-postgresql", "prod-litellm-aurora")]
)
def test_a_migration_of_production_has_a_way_back(engine: str, database: str) -> None:
    chosen = {"engine": engine, "engine_version": "15" if engine == "postgres" else "16"}
    manifest = render(settings("production", environment="prod", database=chosen))
    (found,) = [stack.migration.snapshot for stack in manifest.stacks if stack.migration]

    assert found == SnapshotFirst(database, cluster=engine != "postgres", keep=3)
    off = render(settings("production", database={"snapshot_before_migration": False}))
    assert [stack.migration.snapshot for stack in off.stacks if stack.migration] == [None]


def test_what_is_asked_for_is_what_the_other_stacks_export_and_define() -> None:
    of = settings()
    asked = template(service.build(of))["Metadata"]["gatestack"]["migration"]
    task = properties(database.build(of), "MigrationTask")
    there = exports(database.build(of)).keys() | exports(network.build(of)).keys()

    assert {asked["definition_export"], *asked["subnet_exports"], *asked["security_group_exports"]} <= there
    assert asked["container"] == task["ContainerDefinitions"][0]["Name"]
    assert asked["cluster"] == properties(database.build(of), "MigrationCluster")["ClusterName"]
    assert asked["log_group"] == properties(database.build(of), "MigrationLog")["LogGroupName"]
    assert task["ContainerDefinitions"][0]["Image"]["Fn::Sub"].endswith(asked["image"])


def test_no_stack_imports_the_migrations_task_so_that_its_next_revision_is_free() -> None:
    templates = [stack.template for stack in render(settings()).stacks]

    assert not any(
        '{"Fn::ImportValue": "dev-litellm-database-MigrationTaskArn"}' in text for text in templates
    )


# The service


def test_the_service_rolls_as_in_s1_and_takes_a_failed_deployment_back() -> None:
    found = properties(service.build(settings()), "Service")

    assert found["DeploymentConfiguration"] == {
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
    }
    assert found["HealthCheckGracePeriodSeconds"] == 600
    assert (found["EnableECSManagedTags"], found["PropagateTags"]) == (True, "SERVICE")
    assert found["AvailabilityZoneRebalancing"] == "ENABLED"


@pytest.mark.parametrize(("tier", "provider"), [("dev", "FARGATE_SPOT"), ("production", "FARGATE")])
def test_capacity_is_spot_in_dev_on_demand_in_production_and_never_a_launch_type(
    tier: str, provider: str
) -> None:
    stack = service.build(settings(tier))
    found = properties(stack, "Service")

    assert found["CapacityProviderStrategy"] == [{"CapacityProvider": provider, "Weight": 1}]
    assert "LaunchType" not in found
    assert resource(stack, "Service")["DependsOn"] == "CapacityProviders"


def test_tasks_are_private_behind_the_load_balancer() -> None:
    found = properties(service.build(settings()), "Service")

    assert found["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "AssignPublicIp": "DISABLED",
        "Subnets": [imported("network", "PrivateSubnet1Id"), imported("network", "PrivateSubnet2Id")],
        "SecurityGroups": [imported("network", "EcsSecurityGroupId")],
    }
    assert found["LoadBalancers"] == [
        {
            "ContainerName": "litellm-proxy",
            "ContainerPort": 4000,
            "TargetGroupArn": imported("alb", "TargetGroupArn"),
        }
    ]


@pytest.mark.parametrize(
    ("configured", "facts"),
    [
        ({}, {"repository": "dev-litellm", "tag": "v1.108.7", "count": "1", "scaled": "true"}),
        (
            {"image": "ghcr.io/x/y", "image_tag": DIGEST, "desired_count": 2, "min_tasks": 2, "max_tasks": 2},
            {"repository": "", "tag": DIGEST, "count": "2", "scaled": "false"},
        ),
    ],
)
def test_the_deployer_is_told_how_to_find_the_number_of_tasks(
    configured: dict[str, Any], facts: dict[str, str]
) -> None:
    document = template(service.build(settings(service=configured)))

    assert document["Parameters"]["DesiredCount"]["Default"] == facts["count"]
    assert document["Metadata"]["gatestack"]["lookups"] == [
        {"parameter": "DesiredCount", "rule": "desired-count", "facts": facts}
    ]


@pytest.mark.parametrize("most", [1, 4])
def test_the_count_is_the_parameter_and_left_out_when_it_is_empty(most: int) -> None:
    stack = service.build(settings(service={"max_tasks": most}))

    assert template(stack)["Conditions"]["CountOwnedByScaling"] == {
        "Fn::Equals": [{"Ref": "DesiredCount"}, ""]
    }
    assert properties(stack, "Service")["DesiredCount"] == {
        "Fn::If": ["CountOwnedByScaling", {"Ref": "AWS::NoValue"}, {"Ref": "DesiredCount"}]
    }


# Scaling


def test_scaling_keeps_between_one_and_four_tasks_and_starts_none_without_an_image() -> None:
    stack = service.build(settings())
    name = {"Fn::GetAtt": ["Service", "Name"]}

    assert template(stack)["Conditions"]["NoTasks"] == {"Fn::Equals": [{"Ref": "DesiredCount"}, "0"]}
    assert only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"] == {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": {"Fn::Join": ["/", ["service", {"Ref": "Cluster"}, name]]},
        "MinCapacity": {"Fn::If": ["NoTasks", 0, 1]},
        "MaxCapacity": 4,
        "Tags": [
            {"Key": key, "Value": value}
            for key, value in sorted(stack.settings.stack_tags("service").items())
        ],
    }


def test_both_policies_have_s1s_targets_and_cooldowns() -> None:
    policies = resources(service.build(settings()), "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = [
        policy["Properties"]["TargetTrackingScalingPolicyConfiguration"] for policy in policies.values()
    ]

    assert tracking == [
        {
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": f"ECSServiceAverage{metric}Utilization"
            },
            "TargetValue": target,
            "ScaleInCooldown": 300,
            "ScaleOutCooldown": 60,
        }
        for metric, target in (("CPU", 70), ("Memory", 80))
    ]


def test_a_fixed_number_of_tasks_has_no_scaling() -> None:
    stack = service.build(settings(service={"min_tasks": 1, "max_tasks": 1}))

    assert resources(stack, "AWS::ApplicationAutoScaling::ScalableTarget") == {}
    assert resources(stack, "AWS::ApplicationAutoScaling::ScalingPolicy") == {}
    assert template(stack)["Conditions"].keys() == {"CountOwnedByScaling"}


# Alarms, exports


def alarms_of_s1() -> dict[str, dict[str, Any]]:
    alarms = resources(service.build(settings()), "AWS::CloudWatch::Alarm")
    return {name: alarm for name, alarm in alarms.items() if name != "MasterKeyRotationErrors"}


def test_the_four_alarms_of_s1_ring_the_alarm_topic() -> None:
    alarms = alarms_of_s1()
    keys = ("MetricName", "Statistic", "ComparisonOperator", "Threshold", "EvaluationPeriods", "Period")
    limits = {name: tuple(alarm["Properties"].get(key) for key in keys) for name, alarm in alarms.items()}

    assert limits == {
        "HighCpu": ("CPUUtilization", "Average", "GreaterThanThreshold", 85, 3, 300),
        "HighMemory": ("MemoryUtilization", "Average", "GreaterThanThreshold", 90, 3, 300),
        "UnhealthyHosts": ("UnHealthyHostCount", "Maximum", "GreaterThanOrEqualToThreshold", 1, 3, 60),
        "ServerErrors": (None, None, "GreaterThanThreshold", 10, 2, None),
    }
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmActions"] == [imported("security", "AlarmTopicArn")]


def test_alarms_watch_this_service_and_this_target_group() -> None:
    stack = service.build(settings())

    assert properties(stack, "HighCpu")["Dimensions"] == [
        {"Name": "ClusterName", "Value": {"Ref": "Cluster"}},
        {"Name": "ServiceName", "Value": {"Fn::GetAtt": ["Service", "Name"]}},
    ]
    assert properties(stack, "UnhealthyHosts")["Dimensions"] == [
        {"Name": "LoadBalancer", "Value": imported("alb", "AlbFullName")},
        {"Name": "TargetGroup", "Value": imported("alb", "TargetGroupFullName")},
    ]


def test_no_errors_reported_is_good_news_but_no_cpu_reported_is_none() -> None:
    alarms = alarms_of_s1()

    assert {name: alarm["Properties"]["TreatMissingData"] for name, alarm in alarms.items()} == {
        "HighCpu": "missing",
        "HighMemory": "missing",
        "UnhealthyHosts": "notBreaching",
        "ServerErrors": "notBreaching",
    }


def test_the_stack_exports_what_people_and_pipelines_ask_for() -> None:
    assert exports(service.build(settings())) == {
        "dev-litellm-service-ClusterName": {"Ref": "Cluster"},
        "dev-litellm-service-ServiceName": {"Fn::GetAtt": ["Service", "Name"]},
        "dev-litellm-service-EcrRepositoryUri": {"Fn::GetAtt": ["Repository", "RepositoryUri"]},
        "dev-litellm-service-LogGroupName": {"Ref": "TaskLog"},
        "dev-litellm-service-TaskDefinitionArn": {"Ref": "ProxyTask"},
    }
