"""How long an operation on a stack will probably take: what its slowest resource usually does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

USUAL_SECONDS: Mapping[str, float] = {
    "AWS::CertificateManager::Certificate": 300,
    "AWS::EC2::NatGateway": 120,
    "AWS::EC2::VPCEndpoint": 90,
    "AWS::ECS::Service": 300,
    "AWS::ElastiCache::ReplicationGroup": 600,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 180,
    "AWS::KMS::Key": 60,
    "AWS::RDS::DBCluster": 300,
    "AWS::RDS::DBInstance": 600,
}
"""Seconds, by resource type: S1's "Deploy Time" of its five stacks, laid on the slowest resource of each."""

OTHER_SECONDS = 30.0
"""What comes around it: everything else of a stack, before and after."""


def seconds(types: Iterable[str]) -> float:
    """Return the seconds that an operation on resources of *types* usually takes; none need none."""
    usual = [USUAL_SECONDS.get(type_, 0.0) for type_ in types]
    return OTHER_SECONDS + max(usual) if usual else 0.0
