"""
Quotas that a first deployment can reach, with AWS's default of each.

Codes and defaults as of 2026-11-28: Service Quotas, and the quota pages of the Amazon VPC User Guide, the
Amazon ECS Developer Guide ("Fargate"), the User Guide for Application Load Balancers and the CloudFormation
User Guide. New accounts may have lower values: the account's own value counts, where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.preflight.demand import Measure, first_vcpus, most_vcpus, of, rules_of_a_group, storage


@dataclass(frozen=True)
class Quota:
    """One quota of AWS's."""

    service: str
    """As Service Quotas calls it."""
    code: str
    words: str
    default: float
    need: Measure
    """How much a deployment needs beyond what is there."""
    used: str = ""
    """What counts against it, as `Account.used` names it; empty: the quota is per resource."""
    most: Measure | None = None
    """How much is needed later, under full load, where that is more."""


QUOTAS = (
    Quota("vpc", "L-F678F1CE", "VPCs per region", 5, of("AWS::EC2::VPC"), "vpcs"),
    Quota(
        *("vpc", "L-A4707A72", "internet gateways per region", 5),
        *(of("AWS::EC2::InternetGateway"), "internet gateways"),
    ),
    Quota("ec2", "L-0263D0A3", "Elastic IP addresses", 5, of("AWS::EC2::EIP"), "addresses"),
    Quota(
        *("vpc", "L-29B6F2EB", "interface endpoints per VPC", 50),
        of("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface"),
    ),
    Quota(
        *("vpc", "L-1B52E74A", "gateway endpoints per region", 20),
        *(of("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway"), "gateway endpoints"),
    ),
    Quota("vpc", "L-0EA8095F", "rules per security group", 60, rules_of_a_group),
    Quota(
        *("vpc", "L-E79EC296", "security groups per region", 2500),
        *(of("AWS::EC2::SecurityGroup"), "security groups"),
    ),
    Quota(
        *("elasticloadbalancing", "L-53DA6B97", "application load balancers", 50),
        *(of("AWS::ElasticLoadBalancingV2::LoadBalancer"), "load balancers"),
    ),
    Quota(
        *("elasticloadbalancing", "L-B22855CB", "target groups", 3000),
        *(of("AWS::ElasticLoadBalancingV2::TargetGroup"), "target groups"),
    ),
    Quota(
        *("fargate", "L-3032A538", "Fargate vCPUs on demand", 6),
        *(first_vcpus("FARGATE"), "metric", most_vcpus("FARGATE")),
    ),
    Quota(
        *("fargate", "L-36FBB829", "Fargate Spot vCPUs", 6),
        *(first_vcpus("FARGATE_SPOT"), "metric", most_vcpus("FARGATE_SPOT")),
    ),
)
"""In the order in which a deployment meets them."""

DATABASE: Mapping[str, tuple[str, Measure]] = {
    "DBInstances": ("database instances", of("AWS::RDS::DBInstance")),
    "DBClusters": ("database clusters", of("AWS::RDS::DBCluster")),
    "AllocatedStorage": ("database storage (GB)", storage),
    "DBSubnetGroups": ("database subnet groups", of("AWS::RDS::DBSubnetGroup")),
    "DBParameterGroups": ("database parameter groups", of("AWS::RDS::DBParameterGroup")),
}
"""Quotas that RDS itself tells, with what is used of them (RDS API, DescribeAccountAttributes)."""

RDS_CODES: Mapping[str, str] = {"DBInstances": "L-7B6409FD", "AllocatedStorage": "L-7ADDB58A"}
"""Their codes in Service Quotas, where they are asked to be raised (RDS User Guide, "Quotas"; 2026-11-28)."""
