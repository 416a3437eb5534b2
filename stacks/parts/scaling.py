"""How many tasks run: the range, and the two measures that Application Auto Scaling keeps near a target."""

from __future__ import annotations

from troposphere import Equals, GetAtt, If, Join, Ref
from troposphere.applicationautoscaling import (
    PredefinedMetricSpecification,
    ScalableTarget,
    ScalingPolicy,
    TargetTrackingScalingPolicyConfiguration,
)
from troposphere.ecs import Cluster, Service

from stacks.wiring import Stack

NO_TASKS = "NoTasks"


def add_scaling(stack: Stack, cluster: Cluster, service: Service, count: Ref) -> None:
    """
    Add the range of tasks and both policies of S1, "Auto-Scaling".

    While *count*, the template's parameter, is 0 the range begins at 0: scaling must not start tasks that
    have no image yet.
    """
    limits = stack.settings.service
    stack.template.add_condition(NO_TASKS, Equals(count, "0"))
    target = stack.add(
        ScalableTarget(
            "ScalableTarget",
            ServiceNamespace="ecs",
            ScalableDimension="ecs:service:DesiredCount",
            ResourceId=Join("/", ["service", Ref(cluster), GetAtt(service, "Name")]),
            MinCapacity=If(NO_TASKS, 0, limits.min_tasks),
            MaxCapacity=limits.max_tasks,
        )
    )
    _track(stack, target, "ScaleOnCpu", "ECSServiceAverageCPUUtilization", percent=70)
    _track(stack, target, "ScaleOnMemory", "ECSServiceAverageMemoryUtilization", percent=80)


def _track(stack: Stack, target: ScalableTarget, name: str, metric: str, *, percent: float) -> None:
    stack.add(
        ScalingPolicy(
            name,
            PolicyName=f"{stack.settings.prefix}-{name}",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId=Ref(target),
            TargetTrackingScalingPolicyConfiguration=TargetTrackingScalingPolicyConfiguration(
                PredefinedMetricSpecification=PredefinedMetricSpecification(PredefinedMetricType=metric),
                TargetValue=percent,
                ScaleInCooldown=300,
                ScaleOutCooldown=60,
            ),
        )
    )
