"""
Listener rules that ECS rewrites when it shifts traffic between two target groups of a service.

Amazon ECS Developer Guide, "Amazon ECS blue/green deployments" and "Application Load Balancer resources for
blue/green, linear, and canary deployments": the new tasks register with the group that has none, the test
rule forwards there first, then the production rule; the groups swap roles with each deployment. A rule then
names both groups with their weights, whatever the template said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

Json = Any
ROLLING = "ROLLING"


def groups(elb: Any, service: Mapping[str, Json]) -> Iterator[tuple[str, int, int]]:
    """Yield each target group of *service* with its port, and its share of the traffic in percent."""
    for balancer in service.get("loadBalancers", ()):
        first, port = balancer["targetGroupArn"], balancer["containerPort"]
        other = _advanced(service, balancer).get("alternateTargetGroupArn")
        live = _live(elb, service, balancer)
        for group in filter(None, (first, other)):
            yield group, port, 100 if group == live else 0


def shift(elb: Any, service: Mapping[str, Json]) -> None:
    """Move both rules of *service* to the target group that had no traffic: a deployment is complete."""
    for advanced, live, idle in _shifting(elb, service):
        for rule in ("productionListenerRule", "testListenerRule"):
            if arn := advanced.get(rule):
                _lead(elb, arn, idle, live)


def prepare(elb: Any, service: Mapping[str, Json]) -> None:
    """
    Add the group without traffic to the production rule of *service*, and keep the traffic.

    A load balancer checks no target of a group that no rule names (state ``unused``), and new tasks are
    found healthy before they get traffic.
    """
    for advanced, live, idle in _shifting(elb, service):
        _lead(elb, advanced["productionListenerRule"], live, idle)


def _shifting(elb: Any, service: Mapping[str, Json]) -> Iterator[tuple[Mapping[str, Json], str, str]]:
    """Yield the settings by which ECS shifts traffic, and the groups with and without it."""
    for balancer in service.get("loadBalancers", ()):
        if advanced := _advanced(service, balancer):
            both = {balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]}
            live = _live(elb, service, balancer)
            yield advanced, live, next(iter(both - {live}))


def _lead(elb: Any, rule: str, to: str, away: str) -> None:
    weights = [{"TargetGroupArn": to, "Weight": 100}, {"TargetGroupArn": away, "Weight": 0}]
    elb.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}])


def led_to(actions: list[Json]) -> dict[str, int]:
    """Return the weight of each target group in the forwarding *actions* of a rule."""
    found: dict[str, int] = {}
    for action in actions:
        named = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        forwards = [one for one in named if "TargetGroupArn" in one]
        found |= {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in forwards}
    return found


def _advanced(service: Mapping[str, Json], balancer: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the settings by which ECS shifts *balancer*'s traffic; nothing for a rolling service."""
    strategy = service.get("deploymentConfiguration", {}).get("strategy", ROLLING)
    found: Mapping[str, Json] = {} if strategy == ROLLING else balancer.get("advancedConfiguration", {})
    return found


def _live(elb: Any, service: Mapping[str, Json], balancer: Mapping[str, Json]) -> str:
    first: str = balancer["targetGroupArn"]
    advanced = _advanced(service, balancer)
    if not advanced:
        return first
    try:
        rule = elb.describe_rules(RuleArns=[advanced["productionListenerRule"]])["Rules"][0]
    except ClientError:
        return first  # it was deleted before its service
    weights = led_to(rule["Actions"])
    alternate: str = advanced["alternateTargetGroupArn"]
    return alternate if weights.get(alternate, 0) > weights.get(first, 0) else first
