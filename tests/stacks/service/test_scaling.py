"""What the number of tasks follows: CPU, memory and requests, each to its own goal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from sandbox.server import Sandbox
from stacks import service
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.command import User
from tests.linted import check
from tests.stacks.finders import resources
from tests.stacks.functions.rotations import client_of

S0 = {
    "memory_target_percent": 0,
    "requests_per_target": 500,
    "scale_out_cooldown_seconds": 120,
    "scale_in_cooldown_seconds": 600,
}
"""The gateway's row of S0's scaling table: CPU and requests, two minutes out, ten in."""


def settings(**configured: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "service": configured}
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def tracked(configured: Settings) -> dict[str, dict[str, Any]]:
    """What each policy tracks, by the policy's logical id."""
    found = resources(service.build(configured), "AWS::ApplicationAutoScaling::ScalingPolicy")
    return {
        title: policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        for title, policy in found.items()
    }


def goals(configured: Settings) -> dict[str, float]:
    return {title: policy["TargetValue"] for title, policy in tracked(configured).items()}


def test_cpu_and_memory_are_tracked_by_default_and_have_the_goals_that_are_set() -> None:
    assert goals(settings()) == {"ScaleOnCpu": 70, "ScaleOnMemory": 80}
    assert goals(settings(cpu_target_percent=55, memory_target_percent=65)) == {
        "ScaleOnCpu": 55,
        "ScaleOnMemory": 65,
    }


def test_memory_is_switched_off_by_0() -> None:
    assert goals(settings(memory_target_percent=0)) == {"ScaleOnCpu": 70}


def test_requests_are_counted_in_the_target_group_of_the_load_balancer() -> None:
    found = tracked(settings(**S0))

    assert goals(settings(**S0)) == {"ScaleOnCpu": 70, "ScaleOnRequests": 500}
    assert found["ScaleOnRequests"]["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": {
            "Fn::Join": [
                "/",
                [
                    {"Fn::ImportValue": "dev-litellm-alb-AlbFullName"},
                    {"Fn::ImportValue": "dev-litellm-alb-TargetGroupFullName"},
                ],
            ]
        },
    }


def test_every_policy_has_the_cooldowns_that_are_set() -> None:
    cooldowns = {
        (one["ScaleOutCooldown"], one["ScaleInCooldown"]) for one in tracked(settings(**S0)).values()
    }

    assert cooldowns == {(120, 600)}


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ({"cpu_target_percent": 0}, "service.cpu_target_percent: 0 is out of range; 1 to 100 percent"),
        (
            {"memory_target_percent": 101},
            "service.memory_target_percent: 101 is out of range; 0 to 100 percent",
        ),
        (
            {"requests_per_target": -1},
            "service.requests_per_target: -1 is out of range; 0 to 1000000 requests",
        ),
        (
            {"scale_in_cooldown_seconds": 3601},
            "service.scale_in_cooldown_seconds: 3601 is out of range; 0 to 3600 seconds",
        ),
    ],
)
def test_goals_and_cooldowns_have_limits(configured: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentFileError) as refused:
        settings(**configured)

    assert [str(problem) for problem in refused.value.problems] == [message]


def test_scaling_on_requests_passes_the_gate() -> None:
    assert [str(finding) for finding in check(render(settings(**S0)))] == []


@pytest.mark.deep
def test_policies_are_deployed_and_taken_down(user: User, sandbox: Sandbox) -> None:
    scaling = client_of(sandbox, "application-autoscaling")
    before = "  nat_gateways: 1\n\nservice:\n"
    user.edit("local", before, f"{before}  requests_per_target: 500\n  memory_target_percent: 0\n")

    policies = {"local-litellm-ScaleOnCpu", "local-litellm-ScaleOnRequests"}
    for command, names in (("deploy", policies), ("destroy", set())):
        done = user.run(command, "local", "--yes")
        assert done.code == 0, done.err
        found = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
        assert {policy["PolicyName"] for policy in found} == names
