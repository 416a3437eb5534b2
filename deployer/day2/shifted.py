"""
Listener rules that ECS rewrites as it shifts traffic, which are no drift. Pure.

Amazon ECS Developer Guide, "Application Load Balancer resources for blue/green, linear, and canary
deployments": a rule forwards to one of two target groups, or to both with weights, and they swap roles with
each deployment. With a single target group, or one outside the stack, a difference is drift.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from deployer.day2.drift_state import ResourceDrift
from deployer.states import Resource

RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SAID = "leads where ECS has shifted its traffic"
_SHIFTED = re.compile(r"/Actions(/\d+)?(/(TargetGroupArn|ForwardConfig)(/.*)?)?")
_GROUP = re.compile(r"arn:[\w-]+:elasticloadbalancing:[^\"\s]*:targetgroup/[^\"\s,}\]]+")
_OTHER_ACTIONS = re.compile(r"fixed-response|redirect|authenticate|jwt-validation")


def maybe(drifts: Iterable[ResourceDrift]) -> bool:
    """Whether one of *drifts* could be ECS's doing: only then the stack's resources are read."""
    return any(_is_shift(one) for one in drifts)


def is_shifted(one: ResourceDrift, there: Collection[Resource]) -> bool:
    """Whether *one* is a rule that leads only to target groups of its stack, whose resources are *there*."""
    own = {each.physical_id for each in there if each.type == GROUP}
    led_to = {arn for each in one.properties for arn in _GROUP.findall(each.actual)}
    return _is_shift(one) and len(own) > 1 and led_to <= own


def _is_shift(one: ResourceDrift) -> bool:
    return (
        one.type == RULE
        and one.status == "MODIFIED"
        and all(_SHIFTED.fullmatch(each.path) for each in one.properties)
        and not any(_OTHER_ACTIONS.search(each.actual) for each in one.properties)
        and any(_GROUP.search(each.actual) for each in one.properties)
    )
