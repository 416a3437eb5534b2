"""The number of tasks: the range, and the metrics that Application Auto Scaling keeps near a target."""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import If, Join, Ref
from troposphere.applicationautoscaling import PredefinedMetricSpecification as Measure
from troposphere.applicationautoscaling import (
    ScalableTarget,
    ScalingPolicy,
    TargetTrackingScalingPolicyConfiguration,
)

from stacks.service.services import Running, no_tasks
from stacks.wiring import Stack


def add_scaling(stack: Stack, running: Running) -> None:
    """
    Add the range of tasks and the policies: S1's on CPU and memory ("Auto-Scaling"), S0's on requests.

    While the image is missing the range begins at 0: scaling must not start tasks that cannot run yet.
    """
    limits = stack.settings.service
    target = stack.add(
        ScalableTarget(
            "ScalableTarget",
            ServiceNamespace="ecs",
            ScalableDimension="ecs:service:DesiredCount",
            ResourceId=Join("/", ["service", Ref(running.cluster), running.name]),
            MinCapacity=If(no_tasks(stack), 0, limits.min_tasks),
            MaxCapacity=limits.max_tasks,
        )
    )
    for name, (goal, measure) in _measures(stack).items():
        if goal:
            _track(stack, target, name, measure, goal)


def _measures(stack: Stack) -> Mapping[str, tuple[int, Measure]]:
    """
    Return the possible policies by name: the target, 0 if it is off, and the metric.

    Requests are counted in one target group, named by the ends of both ARNs (Application Auto Scaling API
    Reference, PredefinedMetricSpecification).
    """
    service = stack.settings.service
    group = Join("/", [stack.imported("alb", name) for name in ("AlbFullName", "TargetGroupFullName")])
    cpu = Measure(PredefinedMetricType="ECSServiceAverageCPUUtilization")
    memory = Measure(PredefinedMetricType="ECSServiceAverageMemoryUtilization")
    requests = Measure(PredefinedMetricType="ALBRequestCountPerTarget", ResourceLabel=group)
    return {
        "ScaleOnCpu": (service.cpu_target_percent, cpu),
        "ScaleOnMemory": (service.memory_target_percent, memory),
        "ScaleOnRequests": (service.requests_per_target, requests),
    }


def _track(stack: Stack, target: ScalableTarget, name: str, measure: Measure, goal: int) -> None:
    service = stack.settings.service
    stack.add(
        ScalingPolicy(
            name,
            PolicyName=f"{stack.settings.prefix}-{name}",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId=Ref(target),
            TargetTrackingScalingPolicyConfiguration=TargetTrackingScalingPolicyConfiguration(
                PredefinedMetricSpecification=measure,
                TargetValue=goal,
                ScaleInCooldown=service.scale_in_cooldown_seconds,
                ScaleOutCooldown=service.scale_out_cooldown_seconds,
            ),
        )
    )
