"""
Quotas of an account in a region, by AWS's codes, with AWS's defaults except for vCPUs. Data only.

Read on 2026-11-28. Codes, names, defaults: Service Quotas; the quota pages of the Amazon VPC User Guide, the
User Guide for Application Load Balancers, the Amazon ECS Developer Guide, the Amazon RDS User Guide, the ACM
User Guide and the IAM User Guide. Error codes: the API references of the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Error = Literal["ServiceLimitExceeded", "GeneralServiceException", "NotStabilized"]


@dataclass(frozen=True)
class Quota:
    """One quota of AWS's."""

    word: str
    """Its name here: ``vpcs``."""
    service: str
    """Its name in Service Quotas."""
    code: str
    name: str
    """AWS's own name."""
    default: float
    message: str
    """AWS's message if it is exceeded; ``{most}``: the quota, ``{what}``: the thing that it limits."""
    error: str
    """The API's error code."""
    service_name: str = "Ec2"
    """The service's name in the handlers' messages."""
    handler_error: Error = "ServiceLimitExceeded"


_ELB = "ElasticLoadBalancingV2"
_ECS = (
    "(service {what}) was unable to place a task. Reason: You've reached the limit on the number of vCPUs "
    "you can run concurrently. For more information, see the Troubleshooting section of the Amazon ECS "
    "Developer Guide."
)
"""A service event (Amazon ECS Developer Guide, "Service event messages"; flightcontrol.dev quotes it)."""

_VCPUS = 256
"""
Of an account in use: AWS gives a new one 6 and raises them by what is used (Amazon ECS Developer Guide, "AWS
Fargate service quotas"). Every environment that is shipped fits; `local quota fargate-vcpus 6` is a new one.
"""

QUOTAS = (
    Quota(
        *("vpcs", "vpc", "L-F678F1CE", "VPCs per Region", 5),
        *("The maximum number of VPCs has been reached.", "VpcLimitExceeded"),
    ),
    Quota(
        *("internet-gateways", "vpc", "L-A4707A72", "Internet gateways per Region", 5),
        *("The maximum number of internet gateways has been reached.", "InternetGatewayLimitExceeded"),
    ),
    # Words as CloudFormation tells them: radius-project/samples#711.
    Quota(
        *("elastic-ips", "ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
        *("The maximum number of addresses has been reached.", "AddressLimitExceeded"),
        handler_error="GeneralServiceException",
    ),
    Quota(
        *("nat-gateways", "vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
        *(
            "Performing this operation would exceed the limit of {most} NAT gateways",
            "NatGatewayLimitExceeded",
        ),
        handler_error="GeneralServiceException",
    ),
    Quota(
        *("security-groups", "vpc", "L-E79EC296", "VPC security groups per Region", 2500),
        *("The maximum number of security groups has been reached.", "SecurityGroupLimitExceeded"),
    ),
    Quota(
        *("security-group-rules", "vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60),
        "The maximum number of rules per security group has been reached.",
        "RulesPerSecurityGroupLimitExceeded",
    ),
    Quota(
        *("interface-endpoints", "vpc", "L-29B6F2EB", "Interface VPC endpoints per VPC", 50),
        *("The maximum number of VPC endpoints has been reached.", "VpcEndpointLimitExceeded"),
    ),
    Quota(
        *("gateway-endpoints", "vpc", "L-1B52E74A", "Gateway VPC endpoints per Region", 20),
        *("The maximum number of VPC endpoints has been reached.", "VpcEndpointLimitExceeded"),
    ),
    Quota(
        *(
            "load-balancers",
            "elasticloadbalancing",
            "L-53DA6B97",
            "Application Load Balancers per Region",
            50,
        ),
        *("The maximum number of load balancers has been reached", "TooManyLoadBalancers", _ELB),
    ),
    Quota(
        *("target-groups", "elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3000),
        *("The maximum number of target groups has been reached", "TooManyTargetGroups", _ELB),
    ),
    # Words: kubernetes-sigs/aws-load-balancer-controller#1856 and, of targets, #2302.
    Quota(
        *("listener-rules", "elasticloadbalancing", "L-7EED9B64", "Rules per Application Load Balancer", 100),
        *("The maximum number of rules on load balancer '{what}' has been reached", "TooManyRules", _ELB),
    ),
    Quota(
        *("targets", "elasticloadbalancing", "L-A0D0B863", "Targets per Target Group per Region", 1000),
        "(service {what}) failed to register targets with (error The maximum number of targets per target "
        "group '{most}' has been reached)",
        *("TooManyTargets", _ELB, "NotStabilized"),
    ),
    Quota(
        *("certificates", "acm", "L-F141DD1D", "ACM certificates", 2500),
        "Error: you have reached your limit of {most} certificates.",
        *("LimitExceededException", "Acm"),
    ),
    Quota(
        *("fargate-vcpus", "fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", _VCPUS),
        *(_ECS, "InvalidParameterException", "AmazonECS", "NotStabilized"),
    ),
    Quota(
        *("fargate-spot-vcpus", "fargate", "L-36FBB829", "Fargate Spot vCPU resource count", _VCPUS),
        *(_ECS, "InvalidParameterException", "AmazonECS", "NotStabilized"),
    ),
    Quota(
        *("db-instances", "rds", "L-7B6409FD", "DB instances", 40),
        *("DB Instance quota exceeded", "InstanceQuotaExceeded", "Rds"),
    ),
    Quota(
        *("db-storage", "rds", "L-7ADDB58A", "Total storage for all DB instances", 100_000),
        *("Allocated storage quota exceeded", "StorageQuotaExceeded", "Rds"),
    ),
    Quota(
        *("db-clusters", "rds", "L-952B80B8", "DB clusters", 40),
        *("DB Cluster quota exceeded", "DBClusterQuotaExceededFault", "Rds"),
    ),
    Quota(
        *("iam-roles", "iam", "L-FE177D64", "Roles per account", 1000),
        *("Cannot exceed quota for RolesPerAccount: {most}", "LimitExceeded", "Iam"),
    ),
)
"""In the order in which a deployment meets them."""
BY_WORD: Mapping[str, Quota] = {one.word: one for one in QUOTAS}


def named(name: str) -> Quota:
    """Return the quota *name*, a word of ours or a code of AWS's; raises ValueError."""
    found = [one for one in QUOTAS if name.lower() in {one.word, one.code.lower()}]
    if not found:
        raise ValueError(f"there is no quota {name}: there are {', '.join(BY_WORD)}")
    return found[0]
