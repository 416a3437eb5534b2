"""Whether the region is enabled in the account, and offers the services. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from deployer.day2.verification import Check
from deployer.preflight.demand import Wanted

SERVICES: Mapping[str, str] = {
    "AWS::ECR::": "ecr",
    "AWS::ECS::Service": "fargate",
    "AWS::ECS::": "ecs",
    "AWS::ElastiCache::": "elasticache",
    "AWS::KinesisFirehose::": "firehose",
    "AWS::Lambda::": "lambda",
    "AWS::RDS::DBCluster": "aurora",
    "AWS::RDS::": "rds",
    "AWS::SecretsManager::": "secretsmanager",
}
"""
How types begin -> the service, as /aws/service/global-infrastructure/regions has it.

Systems Manager User Guide, "Calling AWS service, Region, endpoint, Availability Zone, local zone, and
wavelength zone public parameters"; 2026-11-28. Services that every region has are left out.
"""


def services_of(found: Sequence[Wanted]) -> frozenset[str]:
    """Return the services that *found* is made by, as far as regions differ in them."""
    return frozenset(
        service for begins, service in SERVICES.items() if any(one.type.startswith(begins) for one in found)
    )


def region_check(region: str, status: str | None) -> Check:
    """Check whether the account may use *region*; *status*: of EC2's DescribeRegions."""
    if status is None:
        return Check("region", "refused", f"AWS has no region {region}", "correct `region` in the file")
    if status == "not-opted-in":
        remedy = f"`aws account enable-region --region-name {region}`, and wait until it is enabled"
        return Check("region", "refused", f"{region} is not enabled in this account", remedy)
    return Check("region", "ok", f"{region} is enabled")


def services_check(region: str, wanted: Collection[str], offered: Collection[str]) -> Check:
    """Check whether *region* has all services that are *wanted*."""
    missing = sorted(set(wanted) - set(offered))
    if missing:
        remedy = "choose another region (`region` in the file)"
        return Check("services", "refused", f"{region} does not offer {', '.join(missing)}", remedy)
    return Check("services", "ok", f"{len(wanted)} offered")
