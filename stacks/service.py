"""The service stack: image repository, LiteLLM's proxy as an ECS service, scaling, master key, alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator

from awacs import ecs as action
from awacs.aws import ArnEquals, Condition, Statement
from troposphere import AWSHelperFn, Equals, GetAtt, If, NoValue, Parameter, Ref
from troposphere.ecr import EncryptionConfiguration, ImageScanningConfiguration, LifecyclePolicy, Repository
from troposphere.ecs import (
    AwsvpcConfiguration,
    CapacityProviderStrategyItem,
    Cluster,
    ClusterCapacityProviderAssociations,
    NetworkConfiguration,
    Service,
    TaskDefinition,
)
from troposphere.ecs import CapacityProviderStrategy as DefaultStrategyItem

from stacks.parts import deployment, litellm_config, migration
from stacks.parts.cluster import add_cluster
from stacks.parts.dashboard import add_dashboard
from stacks.parts.logs import add_log_group
from stacks.parts.policies import allow, arn
from stacks.parts.proxy import CONTAINER, proxy_task
from stacks.parts.retention import kept_in_production
from stacks.parts.rotation import Rotation, add_rotation, service_arn
from stacks.parts.scaling import add_scaling
from stacks.parts.service_alarms import add_service_alarms
from stacks.settings import Settings
from stacks.wiring import Stack

IMAGES_KEPT = 20

DESIRED_COUNT = "DesiredCount"
COUNT_OWNED_BY_SCALING = "CountOwnedByScaling"


def build(settings: Settings) -> Stack:
    """
    Return the stack that runs the proxy.

    Its imports from the alb stack order it after the listener's rules: ECS refuses a target group that no
    load balancer uses yet.
    """
    stack = Stack(settings, "service", "LiteLLM proxy on ECS Fargate, its images, scaling and alarms")
    repository = _repository(stack)
    log_group = add_log_group(stack, "TaskLog", settings.log_group)
    _upload_config(stack)
    task = proxy_task(stack, log_group)
    migration.ask_for(stack)
    cluster = add_cluster(stack, "Cluster", settings.cluster_name)
    service = _service(stack, cluster, task)
    _rotate_master_key(stack, service)
    if settings.service.scaled:
        add_scaling(stack, cluster, service, Ref(DESIRED_COUNT))
    add_service_alarms(stack, cluster, service)
    if settings.observability.dashboard:
        add_dashboard(stack, cluster, service)
    stack.export("ClusterName", Ref(cluster), "ECS cluster")
    stack.export("ServiceName", GetAtt(service, "Name"), "ECS service of the proxy")
    stack.export("EcrRepositoryUri", GetAtt(repository, "RepositoryUri"), "Where the image is pushed to")
    stack.export("LogGroupName", Ref(log_group), "Log group of the tasks")
    stack.export("TaskDefinitionArn", Ref(task), "What the service runs")
    return stack


def _repository(stack: Stack) -> Repository:
    settings = stack.settings
    return stack.add(
        Repository(
            "Repository",
            **kept_in_production(settings),
            RepositoryName=settings.repository_name,
            ImageTagMutability="IMMUTABLE" if settings.production else "MUTABLE",
            ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
            EncryptionConfiguration=EncryptionConfiguration(
                EncryptionType="KMS", KmsKey=stack.imported("security", "KmsKeyArn")
            ),
            LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=_image_lifecycle()),
            EmptyOnDelete=not settings.production,
        )
    )


def _image_lifecycle() -> str:
    rule = {
        "rulePriority": 1,
        "description": f"Keep the last {IMAGES_KEPT} images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": IMAGES_KEPT},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)


def _upload_config(stack: Stack) -> None:
    settings = stack.settings
    bucket = settings.export_name("security", "ConfigBucketName")
    stack.upload(litellm_config.FILE, bucket_export=bucket, key=litellm_config.key(settings))


def _capacity(stack: Stack, cluster: Cluster) -> ClusterCapacityProviderAssociations:
    provider = _capacity_provider(stack.settings)
    return stack.add(
        ClusterCapacityProviderAssociations(
            "CapacityProviders",
            Cluster=Ref(cluster),
            CapacityProviders=["FARGATE", "FARGATE_SPOT"],
            DefaultCapacityProviderStrategy=[DefaultStrategyItem(CapacityProvider=provider, Weight=1)],
        )
    )


def _capacity_provider(settings: Settings) -> str:
    return "FARGATE_SPOT" if settings.service.spot else "FARGATE"


def _service(stack: Stack, cluster: Cluster, task: TaskDefinition) -> Service:
    """Return the service; a LaunchType in it would switch the strategy of its capacity providers off."""
    settings = stack.settings
    return stack.add(
        Service(
            "Service",
            DependsOn=_capacity(stack, cluster),
            ServiceName=settings.service_name,
            Cluster=Ref(cluster),
            TaskDefinition=Ref(task),
            DesiredCount=_desired_count(stack),
            CapacityProviderStrategy=[
                CapacityProviderStrategyItem(CapacityProvider=_capacity_provider(settings), Weight=1)
            ],
            DeploymentConfiguration=deployment.configuration(stack),
            HealthCheckGracePeriodSeconds=600,
            AvailabilityZoneRebalancing="ENABLED",
            NetworkConfiguration=_network(stack),
            LoadBalancers=[deployment.load_balancer(stack, CONTAINER)],
            EnableECSManagedTags=True,
            PropagateTags="SERVICE",
        )
    )


def _network(stack: Stack) -> NetworkConfiguration:
    return NetworkConfiguration(
        AwsvpcConfiguration=AwsvpcConfiguration(
            AssignPublicIp="DISABLED",
            Subnets=[stack.imported("network", f"PrivateSubnet{zone}Id") for zone in (1, 2)],
            SecurityGroups=[stack.imported("network", "EcsSecurityGroupId")],
        )
    )


def _desired_count(stack: Stack) -> AWSHelperFn:
    """
    Let the deployer say how many tasks: a number, 0 while the image is missing, none where scaling decides.

    Left out of an update, ECS keeps the count it has (AWS docs, AWS::ECS::Service, DesiredCount).
    """
    service = stack.settings.service
    parameter = Parameter(
        DESIRED_COUNT,
        Type="String",
        Default=str(service.desired_count),
        AllowedPattern="^[0-9]*$",
        Description="Number of tasks; 0 while the image is missing; empty to leave it to scaling",
    )
    count = stack.look_up(
        parameter,
        "desired-count",
        repository=stack.settings.repository_name if service.image == "ecr" else "",
        tag=service.image_tag,
        count=str(service.desired_count),
        scaled="true" if service.scaled else "false",
    )
    stack.template.add_condition(COUNT_OWNED_BY_SCALING, Equals(count, ""))
    return If(COUNT_OWNED_BY_SCALING, NoValue, count)


def _rotate_master_key(stack: Stack, service: Service) -> None:
    """
    Rotate the master key from a place that reaches a running task directly: the old key is handed to it.

    The secret is of the security stack; its rotation is of the last one, since it speaks to the service.
    """
    settings = stack.settings
    rotation = Rotation(
        name="master-key",
        secret_name=settings.secret_name("master-key"),
        secret=stack.imported("security", "MasterKeySecretArn"),
        module="master_key",
        at_once=False,
        variables={"PROXY_PORT": str(settings.service.port)},
        permissions=tuple(_find_tasks(settings)),
        after=(service.title,),
    )
    add_rotation(stack, rotation)


def _find_tasks(settings: Settings) -> Iterator[Statement]:
    """Let it find the service's tasks; listing knows no service (Service Authorization Reference, ECS)."""
    cluster = ArnEquals("ecs:cluster", arn("ecs", f"cluster/{settings.cluster_name}"))
    tasks = arn("ecs", f"task/{settings.cluster_name}/*")
    yield allow("SeeService", [action.DescribeServices], [service_arn(settings)])
    yield allow("ListTasks", [action.ListTasks], ["*"], Condition(cluster))
    yield allow("SeeTasks", [action.DescribeTasks], [tasks])
