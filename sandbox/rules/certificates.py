"""Which ACM certificates are issued: those with validated names. In moto's own state."""

from __future__ import annotations

from typing import Any

from sandbox.services.reach import Reach

ISSUED = "ISSUED"


def held(reach: Reach, region: str) -> dict[str, Any]:
    """Return moto's certificates of *region*, by ARN."""
    found: dict[str, Any] = reach.backend("acm", region)._certificates  # noqa: SLF001 - moto has no other name
    return found


def issue(reach: Reach, arn: str, region: str) -> None:
    """Let ACM issue the certificate *arn*, whose names are validated."""
    held(reach, region)[arn].status = ISSUED


def issued(reach: Reach, arn: str, region: str) -> bool:
    """Whether ACM of *region* has issued the certificate *arn*."""
    found = held(reach, region).get(arn)
    return found is not None and found.status == ISSUED
