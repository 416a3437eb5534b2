"""Expected duration of an operation on a stack: from its history, else from typical values. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from deployer.history.durations import NOTHING, Past, Touched

SERVICE = "AWS::ECS::Service"
USUAL_SECONDS: Mapping[str, float] = {
    "AWS::CertificateManager::Certificate": 300,
    "AWS::EC2::NatGateway": 120,
    "AWS::EC2::VPCEndpoint": 90,
    SERVICE: 300,
    "AWS::ElastiCache::ReplicationGroup": 600,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 180,
    "AWS::KMS::Key": 60,
    "AWS::RDS::DBCluster": 300,
    "AWS::RDS::DBInstance": 600,
}
"""
Seconds, by resource type: S1's "Deploy Time" of its five stacks, attributed to the slowest resource of each.
"""

OTHER_SECONDS = 30.0
"""Everything else of a stack, before and after its slowest resource."""


FUNCTION = "AWS::Lambda::Function"
FUNCTION_MINUTES = "20 to 45"
"""
For the deletion of a function in a VPC: Lambda takes its network interfaces down (AWS Lambda Developer Guide,
"Giving Lambda functions access to resources in an Amazon VPC"; 45 is what users of CloudFormation see).
"""
FUNCTION_SECONDS = 1800.0


def seconds(touched: Collection[Touched], template: str = "{}", past: Past = NOTHING) -> float:
    """
    Return the seconds that an operation on a stack probably takes that does *touched* to its resources.

    What the stack's *past* tells counts: the last operation that did the same to the same resources; else for
    each resource how long the same took before, and where it was never done what its type usually takes.
    Without a past, nothing to do takes no time. Where a service of *template* changes, what its deployment
    waits by plan counts too; where a function in a VPC is deleted, what Lambda takes for that.
    """
    whole = past.whole(touched)
    if whole is not None or not touched:
        return whole or 0.0
    functions = in_vpc(template) if any(one.verb == "delete" for one in touched) else ()
    each = [_of(one, template, past, functions) for one in touched]
    around = OTHER_SECONDS if past.around is None else min(past.around, OTHER_SECONDS)
    return around + max(each)


def _of(one: Touched, template: str, past: Past, functions: Collection[str]) -> float:
    known = past.of(one)
    if known is not None:
        return known
    if one.verb == "delete" and one.logical_id in functions:
        return FUNCTION_SECONDS
    planned = _planned(template) if one.type == SERVICE and one.verb != "delete" else 0.0
    return USUAL_SECONDS.get(one.type, 0.0) + planned


def in_vpc(template: str) -> tuple[str, ...]:
    """Return the logical ids of the functions of *template* that are in a VPC."""
    found = resources_of(template).items()
    of_type = [(name, one.get("Properties", {})) for name, one in found if one["Type"] == FUNCTION]
    return tuple(sorted(name for name, properties in of_type if "VpcConfig" in properties))


def _planned(template: str) -> float:
    """Return the seconds for which deployments of services of *template* wait between shifts, and bake."""
    found: list[float] = [0.0]
    for resource in resources_of(template).values():
        how = resource.get("Properties", {}).get("DeploymentConfiguration", {})
        if resource["Type"] != SERVICE or not isinstance(how, dict):
            continue
        canary, linear = how.get("CanaryConfiguration", {}), how.get("LinearConfiguration", {})
        steps = -(-100 // linear["StepPercent"]) - 1 if linear else 0
        between = canary.get("CanaryBakeTimeInMinutes", 0) + steps * linear.get("StepBakeTimeInMinutes", 0)
        found.append(60.0 * (how.get("BakeTimeInMinutes", 0) + between))
    return max(found)


def resources_of(template: str) -> Mapping[str, Any]:
    """Return a template's resources by logical id."""
    found: Mapping[str, Any] = json.loads(template).get("Resources", {})
    return found
