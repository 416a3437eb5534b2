"""Rows of the provisioning table: databases, images, containers and their scaling."""

import json
from typing import Any

from sandbox.provisioning import Provisioned
from tests.sandbox.provision.provision_case import ARN, Case, first, tags_of
from tests.sandbox.provision_world import World


def database_read(world: World, made: Provisioned) -> Any:
    found = first(world, "rds", "describe_db_instances", "DBInstances", DBInstanceIdentifier=made.physical_id)
    names = ("DBInstanceClass", "AllocatedStorage", "EngineVersion", "PreferredMaintenanceWindow")
    return (*[found[name] for name in names], found["Endpoint"]["Port"], tags_of(found["TagList"]))


def parameters_read(world: World, made: Provisioned) -> Any:
    which = {"DBParameterGroupName": made.physical_id}
    group = first(world, "rds", "describe_db_parameter_groups", "DBParameterGroups", **which)
    held = world.api("rds").describe_db_parameters(**which)["Parameters"]
    return group["DBParameterGroupFamily"], [(each["ParameterName"], each["ParameterValue"]) for each in held]


def repository_read(world: World, made: Provisioned) -> Any:
    found = first(world, "ecr", "describe_repositories", "repositories", repositoryNames=[made.physical_id])
    rules = json.loads(
        world.api("ecr").get_lifecycle_policy(repositoryName=made.physical_id)["lifecyclePolicyText"]
    )
    return found["imageTagMutability"], found["imageScanningConfiguration"], len(rules["rules"])


def repository_properties(mutability: str) -> dict[str, Any]:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}
    rules = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    return {
        "ImageTagMutability": mutability,
        "ImageScanningConfiguration": {"ScanOnPush": "true"},
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps(rules)},
    }


def cluster_read(world: World, made: Provisioned) -> Any:
    include = ["CONFIGURATIONS", "SETTINGS"]
    found = first(world, "ecs", "describe_clusters", "clusters", clusters=[made.physical_id], include=include)
    commands = found.get("configuration", {}).get("executeCommandConfiguration", {})
    record = commands.get("logConfiguration", {}).get("cloudWatchLogGroupName")
    return found["status"] == "ACTIVE" and (found["settings"][0]["value"], record)


def cluster_properties(insights: str, log_group: str) -> dict[str, Any]:
    record = {"CloudWatchLogGroupName": log_group, "CloudWatchEncryptionEnabled": True}
    commands = {"Logging": "OVERRIDE", "LogConfiguration": record}
    return {
        "ClusterSettings": [{"Name": "containerInsights", "Value": insights}],
        "Configuration": {"ExecuteCommandConfiguration": commands},
    }


def service_read(world: World, made: Provisioned) -> Any:
    found = first(
        world, "ecs", "describe_services", "services", cluster=world.cluster, services=[made.physical_id]
    )
    rollout = found["deployments"][0]
    return found["status"] == "ACTIVE" and (
        (found["desiredCount"], found["runningCount"], found["pendingCount"]),
        (
            rollout["rolloutState"],
            rollout["runningCount"],
            rollout["taskDefinition"] == found["taskDefinition"],
        ),
        found["capacityProviderStrategy"][0]["capacityProvider"],
    )


def definition_read(world: World, made: Provisioned) -> Any:
    found = world.api("ecs").describe_task_definition(taskDefinition=made.physical_id)["taskDefinition"]
    container = found["containerDefinitions"][0]
    facts = (found["cpu"], container["image"], container["portMappings"][0]["containerPort"])
    return found["status"] == "ACTIVE" and facts


def providers_read(world: World, made: Provisioned) -> Any:
    found = first(world, "ecs", "describe_clusters", "clusters", clusters=[made.physical_id])
    return [each["capacityProvider"] for each in found.get("defaultCapacityProviderStrategy", [])]


def scalable_read(world: World, made: Provisioned) -> Any:
    found = world.api("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    return next(
        (each["MinCapacity"], each["MaxCapacity"]) for each in found if each["ResourceId"] in made.physical_id
    )


def scaling_read(world: World, made: Provisioned) -> Any:
    found = world.api("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]
    policy = next(each for each in found if each["PolicyARN"] == made.physical_id)
    return policy["PolicyName"], policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]


def scaling_properties(world: World, target: float) -> dict[str, Any]:
    if not world.api("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]:
        world.make("ApplicationAutoScaling::ScalableTarget", **world.scaled, MinCapacity=1, MaxCapacity=2)
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    tracking = {"TargetValue": target, "PredefinedMetricSpecification": metric, "ScaleInCooldown": "300"}
    by = "|".join(world.scaled.values())
    return {
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": by,
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }


def cluster_database_read(world: World, made: Provisioned) -> Any:
    found = first(world, "rds", "describe_db_clusters", "DBClusters", DBClusterIdentifier=made.physical_id)
    return found["Engine"], found["BackupRetentionPeriod"]


def cluster_parameters_read(world: World, made: Provisioned) -> Any:
    which = {"DBClusterParameterGroupName": made.physical_id}
    group = first(world, "rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups", **which)
    held = world.api("rds").describe_db_cluster_parameters(**which)["Parameters"]
    return group["DBParameterGroupFamily"], [(each["ParameterName"], each["ParameterValue"]) for each in held]


def cluster_parameters(value: str) -> dict[str, Any]:
    return {"Family": "aurora-postgresql16", "Description": "d", "Parameters": {"rds.force_ssl": value}}


def cluster_database(world: World, days: int) -> dict[str, Any]:
    login = {"MasterUsername": "x", "MasterUserPassword": "not-a-secret-1"}
    engine = {"Engine": "aurora-postgresql", "EngineVersion": "16.8", "BackupRetentionPeriod": days}
    return {**login, **engine, "DBSubnetGroupName": world.subnet_group}


CASES: tuple[Case, ...] = (
    Case(
        "RDS::DBSubnetGroup",
        lambda w: {"DBSubnetGroupDescription": "one", "SubnetIds": w.subnets},
        lambda w, m: first(
            w, "rds", "describe_db_subnet_groups", "DBSubnetGroups", DBSubnetGroupName=m.physical_id
        )["DBSubnetGroupDescription"],
        "one",
        "dev-litellm-test-thing-[a-z0-9]{12}",
        {},
        lambda w: {"DBSubnetGroupDescription": "two", "SubnetIds": w.subnets},
        "two",
    ),
    Case(
        "RDS::DBParameterGroup",
        lambda w: {"Family": "postgres15", "Description": "d", "Parameters": {"rds.force_ssl": 1}},
        parameters_read,
        ("postgres15", [("rds.force_ssl", "1")]),
        "dev-litellm-test-thing-.+",
        {"DBParameterGroupName": "dev-litellm-test-thing-.+"},
        lambda w: {"Family": "postgres15", "Description": "d", "Parameters": {"rds.force_ssl": 0}},
        ("postgres15", [("rds.force_ssl", "0")]),
    ),
    Case(
        "RDS::DBClusterParameterGroup",
        lambda _: cluster_parameters("1"),
        cluster_parameters_read,
        ("aurora-postgresql16", [("rds.force_ssl", "1")]),
        "dev-litellm-test-thing-.+",
        {},
        lambda _: cluster_parameters("0"),
        ("aurora-postgresql16", [("rds.force_ssl", "0")]),
    ),
    Case(
        "RDS::DBInstance",
        lambda w: w.database_properties("dev-db"),
        database_read,
        ("db.t3.micro", 20, "15.13", "sun:04:00-sun:05:00", 5432, "gatestack"),
        "dev-db",
        {
            "Endpoint.Address": r"dev-db\..+\.us-east-1\.rds\.amazonaws\.com",
            "Endpoint.Port": "5432",
            "DBInstanceArn": ARN.format("rds") + "db:dev-db",
            "DbiResourceId": "db-[A-Z0-9]+",
        },
        lambda w: {
            **w.database_properties("dev-db"),
            "DBInstanceClass": "db.t3.small",
            "AllocatedStorage": "40",
        },
        ("db.t3.small", 40, "15.13", "sun:04:00-sun:05:00", 5432, "gatestack"),
    ),
    Case(
        "RDS::DBCluster",
        lambda w: cluster_database(w, 7),
        cluster_database_read,
        ("aurora-postgresql", 7),
        "dev-litellm-test-thing-.+",
        {
            "Endpoint.Address": ".+rds.amazonaws.com",
            "Endpoint.Port": "5432",
            "ReadEndpoint.Address": ".+-ro-.+",
        },
        lambda w: cluster_database(w, 14),
        ("aurora-postgresql", 14),
    ),
    Case(
        "ECR::Repository",
        lambda w: repository_properties("MUTABLE"),
        repository_read,
        ("MUTABLE", {"scanOnPush": True}, 1),
        "dev-litellm-test-thing-.+",
        {
            "Arn": ARN.format("ecr") + "repository/.+",
            "RepositoryUri": r"\d{12}\.dkr\.ecr\.us-east-1\.amazonaws\.com/dev-litellm-test-thing-.+",
        },
        lambda w: repository_properties("IMMUTABLE"),
        ("IMMUTABLE", {"scanOnPush": True}, 1),
    ),
    Case(
        "ECS::Cluster",
        lambda w: cluster_properties("disabled", "/ecs/one"),
        cluster_read,
        ("disabled", "/ecs/one"),
        "dev-litellm-test-Thing-.+",
        {"Arn": ARN.format("ecs") + "cluster/dev-litellm-test-Thing-.+"},
        lambda w: cluster_properties("enabled", "/ecs/two"),
        ("enabled", "/ecs/two"),
    ),
    Case(
        "ECS::ClusterCapacityProviderAssociations",
        lambda w: {
            "Cluster": w.cluster,
            "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "DefaultCapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}],
        },
        providers_read,
        ["FARGATE_SPOT"],
        "world",
    ),
    Case(
        "ECS::TaskDefinition",
        lambda w: w.definition_properties("ghcr.io/berriai/litellm:v1", "case"),
        definition_read,
        ("512", "ghcr.io/berriai/litellm:v1", 4000),
        ARN.format("ecs") + "task-definition/case:1",
        {"TaskDefinitionArn": ARN.format("ecs") + "task-definition/case:1"},
    ),
    Case(
        "ECS::Service",
        lambda w: w.service_properties("case", w.definition),
        service_read,
        ((1, 1, 0), ("COMPLETED", 1, True), "FARGATE_SPOT"),
        ARN.format("ecs") + "service/world/case",
        {"Name": "case", "ServiceArn": ARN.format("ecs") + "service/world/case"},
        lambda w: {
            **w.service_properties("case", w.definition),
            "DesiredCount": 3,
            "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}],
        },
        ((3, 3, 0), ("COMPLETED", 3, True), "FARGATE"),
    ),
    Case(
        "ApplicationAutoScaling::ScalableTarget",
        lambda w: {**w.scaled, "MinCapacity": 1, "MaxCapacity": 4},
        scalable_read,
        (1, 4),
        r"service/world/world\|ecs:service:DesiredCount\|ecs",
        {"Id": ".+"},
        lambda w: {**w.scaled, "MinCapacity": 0, "MaxCapacity": 8},
        (0, 8),
    ),
    Case(
        "ApplicationAutoScaling::ScalingPolicy",
        lambda w: scaling_properties(w, 70),
        scaling_read,
        ("cpu", 70.0),
        ARN.format("autoscaling") + ".+",
        {"Arn": ARN.format("autoscaling") + ".+"},
        lambda w: scaling_properties(w, 50),
        ("cpu", 50.0),
    ),
)
