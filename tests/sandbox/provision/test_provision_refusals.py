"""What AWS refuses, the sandbox refuses: taken names, what is not there, removals of what is in use."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from sandbox.provisioning import ProvisionError
from tests.sandbox.provision_world import TRUST, World

NO_KEY = "arn:aws:kms:us-east-1:000000000102:key/00000000-0000-0000-0000-000000000000"
NO_ROLE = "arn:aws:iam::000000000102:role/nobody"
NOWHERE = ["subnet-00000000000000000", "subnet-11111111111111111"]
Properties = Callable[[World], Mapping[str, Any]]


@pytest.fixture(scope="module")
def world() -> World:
    return World("000000000102")


NAMED: tuple[tuple[str, Properties], ...] = (
    ("IAM::Role", lambda w: {"RoleName": "taken", "AssumeRolePolicyDocument": TRUST}),
    ("Logs::LogGroup", lambda w: {"LogGroupName": "/taken"}),
    ("SecretsManager::Secret", lambda w: {"Name": "taken", "SecretString": "x"}),
    ("SSM::Parameter", lambda w: {"Name": "/taken", "Type": "String", "Value": "x"}),
    ("S3::Bucket", lambda w: {"BucketName": "taken-bucket"}),
    ("SNS::Topic", lambda w: {"TopicName": "taken"}),
    ("ECR::Repository", lambda w: {"RepositoryName": "taken"}),
    ("ECS::Cluster", lambda w: {"ClusterName": "taken"}),
    ("ElasticLoadBalancingV2::LoadBalancer", lambda w: {"Name": "taken", "Subnets": w.subnets}),
    ("RDS::DBInstance", lambda w: w.database_properties("taken")),
    ("ECS::Service", lambda w: w.service_properties("taken", w.definition)),
)


@pytest.mark.parametrize(
    ("kind", "properties"), NAMED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_name_that_is_taken_is_refused(kind: str, properties: Properties, world: World) -> None:
    world.make(kind, **properties(world))

    with pytest.raises(
        ProvisionError, match=rf"AWS::{kind}'.* already exists.*HandlerErrorCode: AlreadyExists"
    ):
        world.make(kind, **properties(world))


ABSENT: tuple[tuple[str, Properties], ...] = (
    ("SecretsManager::Secret", lambda w: {"SecretString": "x", "KmsKeyId": NO_KEY}),
    ("Logs::LogGroup", lambda w: {"KmsKeyId": NO_KEY}),
    ("KMS::Alias", lambda w: {"AliasName": "alias/x", "TargetKeyId": NO_KEY}),
    ("EC2::Subnet", lambda w: {"VpcId": "vpc-00000000000000000", "CidrBlock": "10.0.9.0/24"}),
    ("EC2::SecurityGroup", lambda w: {"VpcId": "vpc-00000000000000000", "GroupDescription": "d"}),
    ("ElasticLoadBalancingV2::LoadBalancer", lambda w: {"Subnets": NOWHERE}),
    ("RDS::DBSubnetGroup", lambda w: {"DBSubnetGroupDescription": "d", "SubnetIds": NOWHERE}),
    (
        "RDS::DBInstance",
        lambda w: {**w.database_properties("x"), "VPCSecurityGroups": ["sg-00000000000000000"]},
    ),
    ("ECS::TaskDefinition", lambda w: {**w.definition_properties("x/y:1"), "TaskRoleArn": NO_ROLE}),
    (
        "EC2::SecurityGroupIngress",
        lambda w: {"GroupId": w.group, "IpProtocol": "-1", "SourceSecurityGroupId": "sg-00000000000000000"},
    ),
)


@pytest.mark.parametrize(
    ("kind", "properties"), ABSENT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_reference_to_what_is_not_there_is_refused(kind: str, properties: Properties, world: World) -> None:
    with pytest.raises(ProvisionError, match=r"does not exist.*HandlerErrorCode: NotFound"):
        world.make(kind, **properties(world))


@pytest.mark.parametrize(
    ("kind", "properties", "said"),
    [
        ("EC2::SecurityGroup", {"GroupDescription": "d"}, r"Group names may not be in the format sg-\*"),
        ("S3::Bucket", {}, "The specified bucket is not valid"),
    ],
)
def test_a_name_that_begins_as_aws_keeps_it_is_refused_also_where_the_stack_gives_it(
    kind: str, properties: Mapping[str, Any], said: str, world: World
) -> None:
    stack = "sg-litellm-network" if kind.startswith("EC2") else "sthree-litellm-alb"
    more = {"VpcId": world.vpc} if kind.startswith("EC2") else {}
    request = replace(world.request(kind, {**properties, **more}), stack_name=stack)

    with pytest.raises(ProvisionError, match=said):
        world.provisioner.create(request)


@pytest.mark.parametrize("days", [None, 7, 464])
def test_the_advanced_mode_of_database_insights_wants_465_days_of_a_database_and_of_a_cluster(
    days: int | None, world: World
) -> None:
    kept = {} if days is None else {"PerformanceInsightsRetentionPeriod": days}
    advanced = {"DatabaseInsightsMode": "advanced", **kept}
    engine = {"Engine": "aurora-postgresql", "MasterUsername": "x", "MasterUserPassword": "not-a-secret-1"}

    with pytest.raises(ProvisionError, match="modify your instance to enable Performance Insights"):
        world.make(
            "RDS::DBInstance",
            **{**world.database_properties("a"), **advanced, "EnablePerformanceInsights": days is not None},
        )
    with pytest.raises(ProvisionError, match="modify your cluster to enable Performance Insights"):
        world.make("RDS::DBCluster", **engine, **advanced, PerformanceInsightsEnabled=days is not None)


def test_what_fails_half_way_leaves_nothing(world: World) -> None:
    managed = ["arn:aws:iam::aws:policy/NoSuchPolicy"]
    with pytest.raises(ProvisionError, match="NoSuchPolicy does not exist"):
        world.make("IAM::Role", RoleName="half", AssumeRolePolicyDocument=TRUST, ManagedPolicyArns=managed)

    assert "half" not in [role["RoleName"] for role in world.api("iam").list_roles()["Roles"]]


def test_the_name_of_a_secret_that_is_scheduled_for_deletion_is_taken_in_other_words(world: World) -> None:
    world.make("SecretsManager::Secret", Name="going", SecretString="{}")
    world.api("secretsmanager").delete_secret(SecretId="going")
    with pytest.raises(ProvisionError, match=r"name is already scheduled for deletion\. .*InvalidRequest"):
        world.make("SecretsManager::Secret", Name="going", SecretString="{}")


def test_a_type_that_cloudformation_does_not_have_is_refused(world: World) -> None:
    with pytest.raises(ProvisionError, match=r"Unrecognized resource types: \[AWS::Nope::Thing\]"):
        world.make("Nope::Thing")


def test_a_missing_property_is_named(world: World) -> None:
    with pytest.raises(ProvisionError, match="required key 'TargetKeyId' not found"):
        world.make("KMS::Alias", AliasName="alias/x")


def push(world: World, repository: str, tag: str) -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{'0' * 64}"},
        "layers": [],
    }
    world.api("ecr").put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)


def test_a_repository_with_images_goes_only_when_it_may_be_emptied(world: World) -> None:
    kept = {"RepositoryName": "kept"}
    made = world.make("ECR::Repository", **kept)
    push(world, "kept", "1")
    with pytest.raises(ProvisionError, match=r"not empty|contains images|still contains"):
        world.provisioner.delete(world.request("ECR::Repository", kept), made)

    world.provisioner.delete(world.request("ECR::Repository", {**kept, "EmptyOnDelete": True}), made)
    assert "kept" not in [
        each["repositoryName"] for each in world.api("ecr").describe_repositories()["repositories"]
    ]


def test_a_service_without_its_image_never_becomes_stable_and_leaves_nothing(world: World) -> None:
    uri = world.make("ECR::Repository", RepositoryName="proxy").attributes["RepositoryUri"]
    definition = world.make(
        "ECS::TaskDefinition", **world.definition_properties(f"{uri}:7", "own")
    ).physical_id
    properties = world.service_properties("own", definition)
    with pytest.raises(
        ProvisionError, match=r"ECS Deployment Circuit Breaker was triggered.*proxy:7: not found"
    ):
        world.make("ECS::Service", **properties)
    without_breaker = {**properties, "DeploymentConfiguration": {}}
    with pytest.raises(ProvisionError, match="NotStabilized"):
        world.make("ECS::Service", **without_breaker)
    world.make("ECS::Service", **{**properties, "ServiceName": "asleep", "DesiredCount": "0"})

    push(world, "proxy", "7")
    assert world.make("ECS::Service", **properties).attributes["Name"] == "own"


def test_a_rollout_that_fails_fails_the_update_and_leaves_the_old_tasks(world: World) -> None:
    properties = world.service_properties("rolled", world.definition)
    made = world.make("ECS::Service", **properties)
    newer = world.make("ECS::TaskDefinition", **world.definition_properties("ghcr.io/x/y:2")).physical_id
    world.services.surroundings.faults.add({"rollouts": [{"service": "rolled"}]})

    changed = world.request("ECS::Service", {**properties, "TaskDefinition": newer})
    with pytest.raises(ProvisionError, match=r"Circuit Breaker was triggered.*tasks failed to start"):
        world.provisioner.update(changed, properties, made)

    found = world.api("ecs").describe_services(cluster="world", services=["rolled"])["services"][0]
    assert (found["taskDefinition"], len(found["deployments"])) == (world.definition, 1)


def test_a_count_that_is_left_out_of_an_update_stays_as_scaling_set_it(world: World) -> None:
    properties = world.service_properties("scaled", world.definition)
    made = world.make("ECS::Service", **properties)
    world.api("ecs").update_service(cluster="world", service="scaled", desiredCount=4)

    changed = {key: value for key, value in properties.items() if key != "DesiredCount"}
    changed["HealthCheckGracePeriodSeconds"] = 600
    world.provisioner.update(world.request("ECS::Service", changed), properties, made)

    found = world.api("ecs").describe_services(cluster="world", services=["scaled"])["services"][0]
    assert (found["desiredCount"], found["runningCount"], found["healthCheckGracePeriodSeconds"]) == (
        4,
        4,
        600,
    )


def test_what_is_protected_or_in_use_is_not_removed(world: World) -> None:
    guard = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    balancer = {"Name": "guarded", "Subnets": world.subnets, "LoadBalancerAttributes": guard}
    database = {**world.database_properties("guarded"), "DeletionProtection": True}
    assert world.service
    held = (
        (
            "ElasticLoadBalancingV2::LoadBalancer",
            balancer,
            world.make("ElasticLoadBalancingV2::LoadBalancer", **balancer),
        ),
        ("RDS::DBInstance", database, world.make("RDS::DBInstance", **database)),
        (
            "ECS::Cluster",
            {},
            world.make("ECS::ClusterCapacityProviderAssociations", Cluster="world", CapacityProviders=[]),
        ),
    )
    for kind, properties, made in held:
        with pytest.raises(ProvisionError, match=r"cannot be deleted|Cannot delete"):
            world.provisioner.delete(world.request(kind, properties), made)


def test_a_network_that_is_removed_leaves_nothing() -> None:
    world = World("000000000103")
    ec2 = world.api("ec2")

    def count() -> tuple[int, ...]:
        return (
            len(ec2.describe_vpcs()["Vpcs"]),
            len(ec2.describe_subnets()["Subnets"]),
            len(ec2.describe_route_tables()["RouteTables"]),
            len(ec2.describe_security_groups()["SecurityGroups"]),
            len(ec2.describe_network_interfaces()["NetworkInterfaces"]),
            len(ec2.describe_internet_gateways()["InternetGateways"]),
            len(ec2.describe_addresses()["Addresses"]),
        )

    before, done = count(), []

    def make(kind: str, **properties: Any) -> Any:
        made = world.make(f"EC2::{kind}", **properties)
        done.append((world.request(f"EC2::{kind}", properties), made))
        return made.physical_id

    vpc = make("VPC", CidrBlock="10.0.0.0/16")
    subnet = make("Subnet", VpcId=vpc, CidrBlock="10.0.1.0/24")
    gateway = make("InternetGateway")
    make("VPCGatewayAttachment", VpcId=vpc, InternetGatewayId=gateway)
    table = make("RouteTable", VpcId=vpc)
    make("Route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    make("SubnetRouteTableAssociation", SubnetId=subnet, RouteTableId=table)
    make("EIP", Domain="vpc")
    make("NatGateway", SubnetId=subnet, AllocationId=done[-1][1].attributes["AllocationId"])
    group = make("SecurityGroup", GroupDescription="d", VpcId=vpc)
    make(
        "SecurityGroupIngress",
        GroupId=group,
        IpProtocol="tcp",
        FromPort=1,
        ToPort=2,
        SourceSecurityGroupId=group,
    )
    service = "com.amazonaws.us-east-1.logs"
    make("VPCEndpoint", VpcId=vpc, ServiceName=service, VpcEndpointType="Interface", SubnetIds=[subnet])
    for request, made in reversed(done):
        world.provisioner.delete(request, made)

    assert count() == before
