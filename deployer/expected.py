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


FUNCTION = "AWS::Lambda::Function"
FUNCTION_MINUTES = "20 to 45"
"""
For the deletion of a function in a VPC: Lambda takes its network interfaces down (AWS Lambda Developer Guide,
"Giving Lambda functions access to resources in an Amazon VPC"; 45 is what users of CloudFormation see).
"""
FUNCTION_SECONDS = 1800.0


def seconds(types: Iterable[str], template: str = "{}", *, removal: bool = False) -> float:
    """
    Return the seconds that an operation on resources of *types* usually takes; none need none.

    Where a service of *template* changes, what its deployment waits by plan counts too; on *removal* what
    its functions in a VPC take.
    """
    kinds = list(types)
    usual = [USUAL_SECONDS.get(type_, 0.0) for type_ in kinds]
    if removal and in_vpc(template):
        usual.append(FUNCTION_SECONDS)
    planned = _planned(template) if SERVICE in kinds and not removal else 0.0
    return OTHER_SECONDS + planned + max(usual) if usual else 0.0


def in_vpc(template: str) -> tuple[str, ...]:
    """Return the logical ids of the functions of *template* that are in a VPC."""
    found = json.loads(template).get("Resources", {}).items()
    of_type = [(name, one.get("Properties", {})) for name, one in found if one["Type"] == FUNCTION]
    return tuple(sorted(name for name, properties in of_type if "VpcConfig" in properties))


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
