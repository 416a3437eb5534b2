"""The application's programs as ECS services: one behind the load balancer, others without one."""

from __future__ import annotations

from typing import Any, NamedTuple

from troposphere import AWSHelperFn, Equals, GetAtt, If, NoValue, Parameter, Ref
from troposphere.ecs import (
    AwsvpcConfiguration,
    CapacityProviderStrategyItem,
    Cluster,
    ClusterCapacityProviderAssociations,
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    HealthCheck,
    NetworkConfiguration,
    PortMapping,
    Service,
    TaskDefinition,
)
from troposphere.ecs import CapacityProviderStrategy as DefaultStrategyItem
from troposphere.logs import LogGroup

from stacks import collector
from stacks.application import Background, camel
from stacks.parts import deployment
from stacks.parts.cluster import add_cluster
from stacks.parts.logs import add_log_group
from stacks.parts.placement import private_subnets
from stacks.parts.task import add_task
from stacks.service import commands
from stacks.service.sidecars import beside
from stacks.wiring import Stack

DESIRED_COUNT = "DesiredCount"
COUNT_OWNED_BY_SCALING = "CountOwnedByScaling"
NO_TASKS = "NoTasks"
"""The condition that the image is missing."""


class Running(NamedTuple):
    """A service with its parts."""

    cluster: Cluster
    service: Service
    task: TaskDefinition
    log_group: LogGroup

    @property
    def name(self) -> GetAtt:
        """The service's name."""
        return GetAtt(self.service, "Name")


def add_entrance(stack: Stack, first: tuple[str, ...]) -> Running:
    """
    Add the cluster and the service that gets the requests (S1, "ECS Fargate Task Definition").

    *first*: logical ids of what its tasks need to start.
    """
    settings, program = stack.settings, stack.application.entrance
    log_group = add_log_group(stack, "TaskLog", stack.log_group_name)
    if collector.wanted(settings):
        add_log_group(stack, "MetricsLog", collector.log_group(settings), archived=False)
    size = settings.service
    more = {**_entrance(stack), **beside(stack, program, log_group)}
    task = add_task(stack, program, log_group, cpu=size.cpu, memory_mb=size.memory_mb, **more)
    cluster = add_cluster(stack, "Cluster", settings.cluster_name, **commands.recorded(stack))
    _capacity(stack, cluster)
    service = _service(
        stack,
        "Service",
        stack.service_name,
        task,
        first,
        DesiredCount=_desired_count(stack),
        DeploymentConfiguration=deployment.configuration(stack),
        HealthCheckGracePeriodSeconds=settings.service.grace_seconds,
        LoadBalancers=[deployment.load_balancer(stack, program.container)],
    )
    return Running(cluster, service, task, log_group)


def _entrance(stack: Stack) -> dict[str, Any]:
    """Return the properties of the container that receives requests."""
    service, check = stack.settings.service, stack.settings.service.health_check
    return {
        "PortMappings": [PortMapping(ContainerPort=service.port, Protocol="tcp")],
        # The level is in a parameter; without the label, an edit of the file would not roll the tasks.
        "DockerLabels": {"gatestack.log-level": service.log_level},
        "HealthCheck": HealthCheck(
            Command=list(stack.application.probe(service.port, check.path)),
            Interval=check.interval_seconds,
            Timeout=check.timeout_seconds,
            Retries=check.retries,
            StartPeriod=check.start_seconds,
        ),
        "StopTimeout": service.stop_timeout_seconds,
    }


def add_background(stack: Stack, wanted: Background, first: tuple[str, ...]) -> Running:
    """
    Add a service without requests, after *first*; to ECS it is healthy while its process runs.

    It always rolls: there is no traffic to shift.
    """
    program = wanted.program
    title = camel(program.name)
    log_group = add_log_group(stack, f"{title}Log", stack.settings.log_group_of(program.name))
    more = beside(stack, program, log_group)
    task = add_task(stack, program, log_group, cpu=wanted.cpu, memory_mb=wanted.memory_mb, **more)
    breaker = DeploymentCircuitBreaker(Enable=True, Rollback=True)
    service = _service(
        stack,
        f"{title}Service",
        stack.settings.named(program.name),
        task,
        first,
        DesiredCount=If(no_tasks(stack), 0, wanted.tasks),
        DeploymentConfiguration=DeploymentConfiguration(
            MinimumHealthyPercent=100, MaximumPercent=200, DeploymentCircuitBreaker=breaker
        ),
    )
    return Running(stack.template.resources["Cluster"], service, task, log_group)


def _service(
    stack: Stack, title: str, name: str, task: TaskDefinition, first: tuple[str, ...], **more: Any
) -> Service:
    """Return the service; a LaunchType in it would switch the strategy of its capacity providers off."""
    return stack.add(
        Service(
            title,
            DependsOn=["CapacityProviders", *first] if first else "CapacityProviders",
            ServiceName=name,
            Cluster=Ref("Cluster"),
            TaskDefinition=Ref(task),
            CapacityProviderStrategy=[
                CapacityProviderStrategyItem(CapacityProvider=_capacity_provider(stack), Weight=1)
            ],
            AvailabilityZoneRebalancing="ENABLED",
            NetworkConfiguration=_network(stack),
            EnableECSManagedTags=True,
            PropagateTags="SERVICE",
            **({"EnableExecuteCommand": True} if stack.settings.service.execute_command else {}),
            **more,
        )
    )


def _capacity(stack: Stack, cluster: Cluster) -> None:
    default = DefaultStrategyItem(CapacityProvider=_capacity_provider(stack), Weight=1)
    stack.add(
        ClusterCapacityProviderAssociations(
            "CapacityProviders",
            Cluster=Ref(cluster),
            CapacityProviders=["FARGATE", "FARGATE_SPOT"],
            DefaultCapacityProviderStrategy=[default],
        )
    )


def _capacity_provider(stack: Stack) -> str:
    return "FARGATE_SPOT" if stack.settings.service.spot else "FARGATE"


def _network(stack: Stack) -> NetworkConfiguration:
    return NetworkConfiguration(
        AwsvpcConfiguration=AwsvpcConfiguration(
            AssignPublicIp="DISABLED",
            Subnets=private_subnets(stack),
            SecurityGroups=[
                stack.imported("network", "EcsSecurityGroupId"),
                *stack.settings.service.security_group_ids,
            ],
        )
    )


def _desired_count(stack: Stack) -> AWSHelperFn:
    """
    Let the deployer set the task count: a number, 0 while the image is missing, none if scaling decides.

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


def no_tasks(stack: Stack) -> str:
    """Return the name of the condition that no task can run yet, since the image is missing."""
    if NO_TASKS not in stack.template.conditions:
        stack.template.add_condition(NO_TASKS, Equals(Ref(DESIRED_COUNT), "0"))
    return NO_TASKS
