"""How long an operation on a stack will probably take: what its slowest resource usually does. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

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
"""Seconds, by resource type: S1's "Deploy Time" of its five stacks, laid on the slowest resource of each."""

OTHER_SECONDS = 30.0
"""What comes around it: everything else of a stack, before and after."""


def seconds(types: Iterable[str], template: str = "{}") -> float:
    """
    Return the seconds that an operation on resources of *types* usually takes; none need none.

    Where a service of *template* changes, what its deployment waits by plan counts too.
    """
    kinds = list(types)
    usual = [USUAL_SECONDS.get(type_, 0.0) for type_ in kinds]
    planned = _planned(template) if SERVICE in kinds else 0.0
    return OTHER_SECONDS + planned + max(usual) if usual else 0.0


def _planned(template: str) -> float:
    """Return the seconds for which deployments of services of *template* wait between shifts, and bake."""
    found: list[float] = [0.0]
    for resource in json.loads(template).get("Resources", {}).values():
        how = resource.get("Properties", {}).get("DeploymentConfiguration", {})
        if resource["Type"] != SERVICE or not isinstance(how, dict):
            continue
        canary, linear = how.get("CanaryConfiguration", {}), how.get("LinearConfiguration", {})
        steps = -(-100 // linear["StepPercent"]) - 1 if linear else 0
        between = canary.get("CanaryBakeTimeInMinutes", 0) + steps * linear.get("StepBakeTimeInMinutes", 0)
        found.append(60.0 * (how.get("BakeTimeInMinutes", 0) + between))
    return max(found)
