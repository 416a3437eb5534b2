"""
How new tasks replace old ones: the differences by `service.deployment_strategy`, as data.

ECS does all of it by itself, without CodeDeploy. A rolling update replaces tasks in one target group. The
other strategies run all new tasks in a second target group, which only the test listener reaches at first,
then shift the clients' traffic to it, and keep the old tasks during the bake time; the two groups swap roles
with each deployment.

The circuit breaker stops a deployment whose tasks fail to start, whatever the strategy: without it ECS keeps
starting them, and CloudFormation waits for three hours. The Developer Guide names it for rolling and
blue/green deployments, of which canary and linear ones are kinds. Alarms roll back a deployment whose tasks
start but then return errors.

ECS rewrites both listener rules; `stacks.alb` uses the group that they currently forward to.

Sources, read in November 2026: Amazon ECS API Reference, DeploymentConfiguration, AdvancedConfiguration;
Amazon ECS Developer Guide, "Amazon ECS blue/green deployments", "Amazon ECS deployment failure detection",
"How CloudWatch alarms detect Amazon ECS deployment failures".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from awacs import sts
from awacs.aws import Allow, Principal, Statement
from troposphere import GetAtt, ImportValue, Ref, Sub, iam
from troposphere.ecs import (
    AdvancedConfiguration,
    CanaryConfiguration,
    DeploymentAlarms,
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    LinearConfiguration,
    LoadBalancer,
)

from stacks.parts.policies import document
from stacks.settings import Service
from stacks.wiring import Stack

SHIFTING_POLICY = "AmazonECSInfrastructureRolePolicyForLoadBalancers"
"""AWS's policy for the role by which ECS moves targets and traffic; AWS updates it as ECS changes."""

_STRATEGIES: Mapping[str, Callable[[Service], dict[str, Any]]] = {
    "rolling": lambda _: {},
    "blue_green": lambda service: {"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": service.bake_minutes},
    "canary": lambda service: {
        "Strategy": "CANARY",
        "BakeTimeInMinutes": service.bake_minutes,
        "CanaryConfiguration": CanaryConfiguration(
            CanaryPercent=service.shift_percent, CanaryBakeTimeInMinutes=service.shift_minutes
        ),
    },
    "linear": lambda service: {
        "Strategy": "LINEAR",
        "BakeTimeInMinutes": service.bake_minutes,
        "LinearConfiguration": LinearConfiguration(
            StepPercent=service.shift_percent, StepBakeTimeInMinutes=service.shift_minutes
        ),
    },
}


def configuration(stack: Stack) -> DeploymentConfiguration:
    """Return how the service deploys (S1, "Deployment Strategy"): never fewer tasks than wanted."""
    service = stack.settings.service
    own = _STRATEGIES[service.deployment_strategy](service)
    own["DeploymentCircuitBreaker"] = DeploymentCircuitBreaker(Enable=True, Rollback=True)
    if service.alarms_roll_back:
        names = [Ref(name) for name in (*unhealthy_hosts(stack), *_errors(stack))]
        own["Alarms"] = DeploymentAlarms(AlarmNames=names, Enable=True, Rollback=True)
    return DeploymentConfiguration(MinimumHealthyPercent=100, MaximumPercent=200, **own)


def load_balancer(stack: Stack, container: str) -> LoadBalancer:
    """Return the source of requests to *container*, with all that ECS needs to shift them."""
    service = stack.settings.service
    advanced = {"AdvancedConfiguration": _shifting(stack)} if service.shifts_traffic else {}
    return LoadBalancer(
        ContainerName=container,
        ContainerPort=service.port,
        TargetGroupArn=stack.imported("alb", "TargetGroupArn"),
        **advanced,
    )


def _shifting(stack: Stack) -> AdvancedConfiguration:
    return AdvancedConfiguration(
        AlternateTargetGroupArn=stack.imported("alb", "AlternateTargetGroupArn"),
        ProductionListenerRule=stack.imported("alb", "ProductionRuleArn"),
        TestListenerRule=stack.imported("alb", "TestRuleArn"),
        RoleArn=GetAtt(_role(stack), "Arn"),
    )


def _role(stack: Stack) -> iam.Role:
    """Add the role (Amazon ECS Developer Guide, "Amazon ECS infrastructure IAM role for load balancers")."""
    may_assume = Statement(
        Effect=Allow, Principal=Principal("Service", "ecs.amazonaws.com"), Action=[sts.AssumeRole]
    )
    role = iam.Role(
        "TrafficRole",
        AssumeRolePolicyDocument=document(may_assume),
        ManagedPolicyArns=[Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{SHIFTING_POLICY}")],
    )
    return stack.add(role, name="TrafficRole")


def unhealthy_hosts(stack: Stack) -> Mapping[str, Mapping[str, ImportValue]]:
    """Return the alarms on unhealthy tasks: name, and the dimensions of the target group that it watches."""
    groups = {"UnhealthyHosts": "TargetGroupFullName"}
    if stack.settings.service.shifts_traffic:
        groups["UnhealthyAlternateHosts"] = "AlternateTargetGroupFullName"
    balancer = stack.imported("alb", "AlbFullName")
    return {
        alarm: {"LoadBalancer": balancer, "TargetGroup": stack.imported("alb", group)}
        for alarm, group in groups.items()
    }


def _errors(stack: Stack) -> Iterator[str]:
    """Yield the existing alarms on 5xx answers; none of them waits for the service."""
    alarms = stack.settings.observability.alarms
    if alarms.server_errors:
        yield "ServerErrors"
    if alarms.server_error_percent:
        yield "ServerErrorRate"


def all_answers(stack: Stack) -> Mapping[str, ImportValue]:
    """Return the dimensions of every answer of the tasks, in whichever target group they are."""
    if stack.settings.service.shifts_traffic:
        return {"LoadBalancer": stack.imported("alb", "AlbFullName")}
    return unhealthy_hosts(stack)["UnhealthyHosts"]
